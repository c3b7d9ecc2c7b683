r"""A mixture inside outcome classes over the modalities a patient has, with environment and pattern as further views.

.. math::

    p(x, v \mid y) = \sum_u P(u \mid y) \prod_j P(v_j \mid u) \prod_{k \in M} N(x_k;\, a_{k,y} + c_{k,u},\, S_k)

with :math:`M` the modalities a patient has and :math:`v_j` views such as the environment and the pattern of modalities.
A view that is missing contributes nothing. Fitted by EM, to the mode under weak priors; from several starts by
:mod:`gdsfd.latent.search`.

References:
    Our formulation. A latent class with three views that are independent given (u, y) is identified: Kruskal 1977;
    Allman, Matias, Rhodes 2009; Anandkumar et al. 2014.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

from gdsfd.latent.gaussian_block import Cells, Floats, GaussianBlock, Ints

__all__ = ["Fit", "Mixture", "Observed"]

#: Patients that the prior of each share counts as.
PRIOR_COUNT = 1.0
#: EM stops where a round gains less, in nats per patient.
TOLERANCE = 1e-4


@dataclass(frozen=True)
class Observed:
    """What a mixture sees of some patients.

    Args:
        content: Standardised numbers, NaN = not measured; [N, D].
        block: Modality of each column, 0, 1, ..; [D].
        views: Name -> code of each patient, -1 = missing; [N].
    """

    content: Floats
    block: Ints
    views: Mapping[str, Ints]

    def rows(self, rows: Ints) -> Observed:
        """Some of the patients."""
        return Observed(self.content[rows], self.block, {name: codes[rows] for name, codes in self.views.items()})

    def cells(self) -> list[Cells]:
        """The content modality by modality."""
        return [Cells.of(self.content[:, self.block == k]) for k in range(int(self.block.max(initial=-1)) + 1)]


@dataclass(frozen=True)
class Mixture:
    """A fitted mixture of K classes, for L outcomes.

    Args:
        share: ``P(u | y)``; [L, K].
        views: Name -> ``P(v | u)``; [K, codes].
        blocks: One per modality.
        block: Modality of each column; [D].
        marginal: ``P(u)`` among the patients fitted on; [K].
        levels: Where classes lie that are levels of one graded practice (:mod:`gdsfd.latent.line`); [K]. None = classes
            anywhere.
    """

    share: Floats
    views: dict[str, Floats]
    blocks: tuple[GaussianBlock, ...]
    block: Ints
    marginal: Floats
    levels: Floats | None = None

    @property
    def classes(self) -> int:
        """Number of classes, K."""
        return int(self.share.shape[1])

    def content_log_density(self, seen: Observed, y: Ints) -> Floats:
        """``log p(x | y, u)`` of content alone, in nats; [N, K]."""
        return self._content(seen.cells(), y)

    def _content(self, cells: list[Cells], y: Ints) -> Floats:
        found = np.zeros((len(y), self.classes))
        for part, block in zip(cells, self.blocks):
            found[part.rows] += block.log_density(part, y[part.rows])
        return found

    def log_joint(self, seen: Observed, y: Ints, without: str | None = None) -> Floats:
        """``log p(u, x, v | y)`` in nats; [N, K].

        Args:
            seen: The patients.
            y: Their outcomes.
            without: A view left out, so that what is found can be held against it.
        """
        return np.log(self.share)[y] + self._views(seen.views, len(y), without) + self.content_log_density(seen, y)

    def _views(self, views: Mapping[str, Ints], size: int, without: str | None = None) -> Floats:
        found = np.zeros((size, self.classes))
        for name, table in self.views.items():
            if name != without and name in views:
                codes, size = views[name], table.shape[1]
                said = np.zeros((size + 1, self.classes))
                said[:size] = np.log(table).T
                found += said[np.where((codes >= 0) & (codes < size), codes, size)]  # any other code says nothing
        return found

    def log_likelihood(self, seen: Observed, y: Ints) -> Floats:
        """``log p(x, v | y)`` of each patient, in nats; [N]."""
        return _log_of_sum(self.log_joint(seen, y))

    def responsibilities(self, seen: Observed, y: Ints, without: str | None = None) -> Floats:
        """``P(u | x, v, y)``; [N, K]. Takes labels: of patients fitted on, never of those predicted."""
        joint = self.log_joint(seen, y, without)
        return np.exp(joint - _log_of_sum(joint)[:, None])

    def outcome_log_density(self, seen: Observed, share: Floats) -> Floats:
        """``log sum_u share[y, u] p(x | y, u)`` for every outcome, in nats; [N, L].

        Args:
            seen: The patients; their views are not looked at.
            share: Weights of the classes under each outcome; [L, K]. ``P(u)`` in every row is the back-door average,
                ``P(u | y)`` what was observed.
        """
        cells, size = seen.cells(), len(seen.content)
        return np.stack(
            [
                logsumexp(self._content(cells, np.full(size, y)) + np.log(share[y]), axis=1)
                for y in range(len(self.share))
            ],
            axis=1,
        )

    def target_masses(self, seen: Observed, prevalence: Floats, rounds: int = 20) -> Floats:
        """Masses of the classes among patients of another place, by a few rounds of EM without labels; [K].

        The classes are taken to be independent of the outcome there: ``p(x) = sum_u P(u) sum_y P(y) p(x | y, u)``.

        Args:
            seen: The patients; their views are not looked at.
            prevalence: ``P(y)``; [L].
            rounds: Of EM, from the masses of the patients fitted on.
        """
        cells, size = seen.cells(), len(seen.content)
        by_outcome = [self._content(cells, np.full(size, y)) + np.log(share) for y, share in enumerate(prevalence)]
        density = logsumexp(np.stack(by_outcome), axis=0)
        masses = self.marginal
        for _ in range(rounds):
            joint = density + np.log(masses)
            share = np.exp(joint - logsumexp(joint, axis=1, keepdims=True)).sum(0) + PRIOR_COUNT
            masses = share / share.sum()
        return masses

    def permuted(self, order: Ints) -> Mixture:
        """The same mixture with its classes in another order."""
        return Mixture(
            self.share[:, order],
            {name: table[order] for name, table in self.views.items()},
            tuple(GaussianBlock(each.outcome, each.stratum[order], each.covariance) for each in self.blocks),
            self.block,
            self.marginal[order],
            None if self.levels is None else self.levels[order],
        )


def _log_of_sum(joint: Floats) -> Floats:
    """``log sum exp`` of each row; what SciPy's does, at a fraction of the time in every round of EM."""
    top = joint.max(1)
    return np.asarray(top + np.log(np.exp(joint - top[:, None]).sum(1)), dtype=np.float64)


class Fit:
    """EM on some patients.

    Args:
        seen: The patients.
        y: Their outcomes; [N].
        outcomes: Number of outcomes.
        sizes: Codes of each view; default: those of these patients.
        levels: Where each class lies on a line; [K]. None = anywhere.
    """

    def __init__(
        self,
        seen: Observed,
        y: Ints,
        outcomes: int,
        sizes: Mapping[str, int] | None = None,
        levels: Floats | None = None,
    ) -> None:
        self.seen, self.y, self.outcomes, self.cells, self.levels = seen, y, outcomes, seen.cells(), levels
        found = {name: int(codes.max(initial=-1)) + 1 for name, codes in seen.views.items()}
        self.sizes = dict(sizes) if sizes is not None else {name: size for name, size in found.items() if size > 0}

    def first(self, share: Floats) -> Mixture:
        """From responsibilities alone: one M-step that starts from the columns' own spread."""
        classes = share.shape[1]
        blocks = []
        for part in self.cells:
            d = part.values.shape[1]
            plain = GaussianBlock(np.zeros((self.outcomes, d)), np.zeros((classes, d)), np.eye(d))
            own = self.y[part.rows]
            blocks.append(plain.step(part, own, plain.e_step(part, own), share[part.rows]))
        return self.mixture(share, tuple(blocks))

    def run(self, mixture: Mixture, rounds: int) -> tuple[Mixture, list[float]]:
        """At most so many rounds; the mixture, and the log-posterior before each of them."""
        trace: list[float] = []
        for _ in range(rounds):
            expected = [block.e_step(part, self.y[part.rows]) for part, block in zip(self.cells, mixture.blocks)]
            joint = np.log(mixture.share)[self.y] + mixture._views(self.seen.views, len(self.y))
            for part, found in zip(self.cells, expected):
                joint[part.rows] += found[0]
            level = _log_of_sum(joint)
            trace.append(float(level.sum()) + self.log_prior(mixture))
            if len(trace) > 1 and trace[-1] - trace[-2] < TOLERANCE * len(self.y):
                break
            share = np.exp(joint - level[:, None])
            blocks = tuple(
                block.step(part, self.y[part.rows], found, share[part.rows], self.levels)
                for part, block, found in zip(self.cells, mixture.blocks, expected)
            )
            mixture = self.mixture(share, blocks)
        return mixture, trace

    def mixture(self, share: Floats, blocks: tuple[GaussianBlock, ...]) -> Mixture:
        """The rest of the M-step: tables of what goes with each class, from responsibilities [N, K]."""
        given = self.shares_by_outcome(np.stack([share[self.y == y].sum(0) for y in range(self.outcomes)]))
        views = {}
        for name, size in self.sizes.items():
            codes = self.seen.views[name]
            table = np.stack([np.bincount(codes[codes >= 0], each[codes >= 0], size) for each in share.T])
            counts = table + self.prior_counts(name)
            views[name] = counts / counts.sum(1, keepdims=True)
        # P(u) as the shares of the outcomes have it: what the average over strata weighs by.
        prevalence = np.bincount(self.y, minlength=self.outcomes) / len(self.y)
        return Mixture(given, views, blocks, self.seen.block, prevalence @ given, self.levels)

    def shares_by_outcome(self, counts: Floats) -> Floats:
        """``P(u | y)`` from expected patients of each outcome and class; both [L, K]."""
        counts = counts + PRIOR_COUNT
        return np.asarray(counts / counts.sum(1, keepdims=True), dtype=np.float64)

    def prior_counts(self, name: str) -> Floats:
        """Patients that the prior of a view's table counts as; [K, codes] or what becomes it."""
        return np.asarray(PRIOR_COUNT)

    def log_prior(self, mixture: Mixture) -> float:
        """Log-density of the parameters under the prior, up to a constant, in nats."""
        views = sum(float((self.prior_counts(name) * np.log(table)).sum()) for name, table in mixture.views.items())
        own = PRIOR_COUNT * float(np.log(mixture.share).sum())
        return own + views + sum(block.log_prior() for block in mixture.blocks)
