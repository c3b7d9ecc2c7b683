"""How often a score ranks a patient with the outcome above one without, and how much another score gains."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtrit

__all__ = ["FEWEST", "Concordance", "concordance_gain"]

#: Patients of one class and group beyond this many are sampled: the pairs are a matrix.
MOST = 1500

#: The fewest subjects with, and without, the outcome for an interval.
FEWEST = 5

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Concordance:
    """Concordance of two scores over pairs inside groups.

    Args:
        reference: Concordance of the first score.
        other: Of the second.
        low: Lower end of the 95 % interval of ``other - reference``, over subjects; -1, which says nothing, where fewer
            than :data:`FEWEST` subjects have, or have not, the outcome.
        high: Upper end.
        pairs: Pairs compared.
        groups: Group -> its own two concordances and number of pairs.
        detectable: The difference whose interval would lie above 0 in four samples of five; NaN where there is no
            interval.
        other_low: Lower end of the 95 % interval of ``other``; NaN where there is none.
    """

    reference: float
    other: float
    low: float
    high: float
    pairs: int
    groups: dict[str, tuple[float, float, int]]
    detectable: float = math.nan
    other_low: float = math.nan

    @property
    def difference(self) -> float:
        """``other - reference``."""
        return self.other - self.reference


def concordance_gain(
    y: NDArray[np.int64],
    reference: Floats,
    other: Floats,
    group: Sequence[str],
    subject: Sequence[str],
    weight: Floats | None = None,
    resamples: int = 400,
    seed: int = 0,
) -> Concordance:
    r"""Compares two scores by the pairs of patients of the same group that differ in the outcome.

    .. math:: A = \frac{\sum_{g} \sum_{i \in g^+, j \in g^-} w_i w_j [s_i > s_j]}{\sum_g \sum_{ij} w_i w_j}

    with ties counted half: the AUROC inside groups, averaged by pairs. A score gains nothing by knowing the group.

    Args:
        y: 0 or 1; [n].
        reference: First score; [n].
        other: Second score; [n].
        group: Group of each patient.
        subject: Person of each patient; resamples draw persons.
        weight: Weight of each patient; default 1.
        resamples: Bootstrap resamples for the interval.
        seed: Of the local generator.

    Returns:
        NaN figures where no group has both labels.
    """
    generator = np.random.default_rng(seed)
    if not len(y):
        return _NOTHING
    people = np.unique(np.asarray(subject, dtype=str), return_inverse=True)[1]
    size = int(people.max()) + 1
    counts = generator.multinomial(size, np.full(size, 1.0 / size), resamples).astype(float)
    own = np.ones(len(y)) if weight is None else weight
    names = np.asarray(group, dtype=str)
    top = np.zeros((2, resamples + 1))
    bottom = np.zeros(resamples + 1)
    groups: dict[str, tuple[float, float, int]] = {}
    seen: dict[int, set[int]] = {1: set(), 0: set()}
    total = 0
    for name in np.unique(names):
        positive, negative = (_some(np.flatnonzero((names == name) & (y == label)), generator) for label in (1, 0))
        if not len(positive) or not len(negative):
            continue
        for label, part in ((1, positive), (0, negative)):
            seen[label] |= set(people[part].tolist())
        rows, columns = (
            np.concatenate([np.ones((1, len(part))), counts[:, people[part]]]) * own[part]
            for part in (positive, negative)
        )
        share = rows.sum(1) * columns.sum(1)
        won = []
        for number, score in enumerate((reference, other)):
            wins = (score[positive][:, None] > score[negative][None]) + 0.5 * (
                score[positive][:, None] == score[negative][None]
            )
            summed = ((rows @ wins) * columns).sum(1)
            top[number] += summed
            won.append(summed[0] / share[0] if share[0] else float("nan"))
        bottom += share
        pairs = len(positive) * len(negative)
        groups[str(name)] = (float(won[0]), float(won[1]), pairs)
        total += pairs
    if not total:
        return _NOTHING
    value = top / np.where(bottom > 0, bottom, np.nan)
    gain, fewest = value[1] - value[0], min(map(len, seen.values()))
    low, high, detectable, other_low = -1.0, 1.0, math.nan, math.nan
    spread = float(np.nanstd(gain[1:], ddof=1)) if np.isfinite(gain[1:]).sum() > 1 else 0.0
    if fewest >= FEWEST and spread > 0:
        # Percentiles over resamples are too short with few subjects: a t interval of the rarer class instead.
        t = float(stdtrit(fewest - 1, 0.975))
        half, other_low = t * spread, float(value[1, 0]) - t * float(np.nanstd(value[1, 1:], ddof=1))
        detectable = half + float(ndtri(0.8)) * spread
        low, high = max(-1.0, float(gain[0]) - half), min(1.0, float(gain[0]) + half)
    return Concordance(float(value[0, 0]), float(value[1, 0]), low, high, total, groups, detectable, other_low)


_NOTHING = Concordance(math.nan, math.nan, math.nan, math.nan, 0, {})


def _some(rows: NDArray[np.int64], generator: np.random.Generator) -> NDArray[np.int64]:
    return rows if len(rows) <= MOST else generator.choice(rows, MOST, replace=False)
