"""The best mixture of several starts of EM, on some patients; what was fitted once is not fitted again."""

from __future__ import annotations

import numpy as np

from gdsfd.latent.gaussian_block import Floats, Ints
from gdsfd.latent.mixture import Fit, Mixture, Observed
from gdsfd.latent.starts import starts

__all__ = ["Search", "fit_mixture"]

#: Rounds of every start, and the most patients they see; the best few go on, with all patients.
SHORT, FEW = 12, 1000
#: Correlation of responsibilities from which on two starts have come to the same class.
SAME = 0.9

#: A mixture, and the log-posterior before each of its rounds, up to a constant, in nats.
Run = tuple[Mixture, list[float]]


class Search:
    """Mixtures of some patients, for as many classes and from as many starts as are asked for, one after another.

    The starts of a quick look are the first of a thorough one, which therefore has only its further starts to run.

    Args:
        seen: Labelled training patients.
        y: Their outcomes, 0 .. ``outcomes`` - 1; [N].
        outcomes: Number of outcomes.
        seed: Of the starts that are drawn.
        rounds: Most rounds of EM.
    """

    def __init__(self, seen: Observed, y: Ints, *, outcomes: int = 2, seed: int = 0, rounds: int = 60) -> None:
        self.seen, self.y = seen, y
        self._fit, self._seed, self._rounds = Fit(seen, y, outcomes), seed, rounds
        few = np.sort(np.random.default_rng(seed).permutation(len(y))[:FEW])
        self._few = Fit(seen.rows(few), y[few], outcomes, self._fit.sizes)
        self._begun: dict[int, list[Run]] = {}  #: number of classes -> each start after its first rounds
        self._ended: dict[tuple[int, int], Run] = {}  #: number of classes, start -> the same at its end

    def best(self, classes: int, *, draws: int = 2, going_on: int = 2) -> Run:
        """The best mixture of several starts.

        Args:
            classes: Number of classes.
            draws: Starts along random directions; beside them there is one along what spreads most inside outcome
                classes, and one along what tells each view.
            going_on: Starts that go on after the first rounds.
        """
        if classes == 1:
            if (1, 0) not in self._ended:
                first = self._fit.first(np.ones((len(self.y), 1)))
                self._ended[1, 0] = self._fit.run(first, self._rounds)
            return self._ended[1, 0]
        few, begun = self._few, self._begun.setdefault(classes, [])
        shares = starts(few.seen.content, few.y, few.seen.views, classes, self._seed, draws)
        for number, share in enumerate(shares):
            if number == len(begun):
                begun.append(few.run(few.first(share), SHORT))
        order = sorted(range(number + 1), key=lambda start: -begun[start][1][-1])
        return max((self._on(classes, start) for start in order[:going_on]), key=lambda each: each[1][-1])

    def modes(self, classes: int, *, draws: int = 2) -> list[Run]:
        """Where EM ends from several starts, the likeliest first; starts that lead to the same classes go on once.

        Args:
            classes: Number of classes, at least 2.
            draws: As in :meth:`best`.
        """
        self.best(classes, draws=draws, going_on=1)
        begun = self._begun[classes]
        kept: list[tuple[int, Floats]] = []
        for number in sorted(range(len(begun)), key=lambda start: -begun[start][1][-1]):
            share = begun[number][0].responsibilities(self._few.seen, self._few.y)
            if not any(_alike(share, other) for _, other in kept):
                kept.append((number, share))
        return sorted((self._on(classes, number) for number, _ in kept), key=lambda each: -each[1][-1])

    def _on(self, classes: int, start: int) -> Run:
        """A start that goes on, with all patients."""
        if (classes, start) not in self._ended:
            self._ended[classes, start] = self._fit.run(self._begun[classes][start][0], self._rounds)
        return self._ended[classes, start]


def _alike(share: Floats, other: Floats) -> bool:
    """Whether two sets of responsibilities are the same classes, numbered in any way; [N, K] each."""
    agreement = np.abs(np.corrcoef(share.T, other.T)[: share.shape[1], share.shape[1] :])
    return bool((np.nan_to_num(agreement).max(axis=1) > SAME).all())


def fit_mixture(
    seen: Observed,
    y: Ints,
    classes: int,
    *,
    outcomes: int = 2,
    seed: int = 0,
    draws: int = 2,
    going_on: int = 2,
    rounds: int = 60,
) -> Run:
    """The best mixture of several starts, and the log-posterior of its start before each round: one :class:`Search`."""
    search = Search(seen, y, outcomes=outcomes, seed=seed, rounds=rounds)
    return search.best(classes, draws=draws, going_on=going_on)
