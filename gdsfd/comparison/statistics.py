"""What differences between arms are worth: intervals over seeds, equivalence, the share of an oracle's distance closed.

All functions take one number per seed and are safe with a single seed (figures without intervals) and with NaN (left
out in pairs).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

from gdsfd.evaluation.metrics.estimate import Estimate

__all__ = ["MARGIN", "Paired", "holm", "mean_estimate", "paired", "share_closed", "tost"]

#: Difference in AUROC that counts as none.
MARGIN = 0.01
#: Level of the two one-sided tests of equivalence.
LEVEL = 0.05

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Paired:
    """Differences of pairs, such as an arm minus ERM on the same seed.

    Args:
        mean: Mean difference; NaN without pairs.
        low: Lower end of the 95 % t interval; NaN with fewer than two pairs, or the same difference in each.
        high: Upper end.
        n: Number of pairs.
        wins: Pairs whose difference is above 0.
        losses: Pairs whose difference is below 0.
        p: Two-sided p value of the paired t test.
        p_equivalent: The larger p value of the two one-sided tests that the difference lies inside ``±margin``.
        margin: The margin of equivalence.
        p_adjusted: ``p`` after Holm's correction for all arms of a table; NaN where there was none.
    """

    mean: float
    low: float
    high: float
    n: int
    wins: int
    losses: int
    p: float
    p_equivalent: float
    margin: float = MARGIN
    p_adjusted: float = math.nan

    @property
    def equivalent(self) -> bool:
        """Whether both one-sided tests at 5 % put the difference inside the margin."""
        return self.p_equivalent < LEVEL

    @property
    def verdict(self) -> str:
        """``equivalent``, ``better``, ``worse``, ``undecided``; without an interval ``identical`` or ``no interval``.

        ``identical``: not the slightest difference in any of several pairs, as of an arm that is its reference.
        ``no interval``: one pair, or the same difference in all.

        The first that fits: a small difference whose interval leaves out 0 may be equivalent all the same.
        """
        if not math.isfinite(self.low):
            return "identical" if self.n > 1 and self.mean == 0 and not self.wins + self.losses else "no interval"
        if self.equivalent:
            return "equivalent"
        if self.low > 0:
            return "better"
        return "worse" if self.high < 0 else "undecided"

    def to_dict(self) -> dict[str, Any]:
        """A JSON-able copy with the verdict; NaN stays NaN."""
        return {**asdict(self), "verdict": self.verdict}


def paired(values: Sequence[float] | Floats, reference: Sequence[float] | Floats, margin: float = MARGIN) -> Paired:
    """Differences of pairs with their 95 % t interval, t test and test of equivalence.

    Args:
        values: One number per seed.
        reference: The reference's number on the same seed.
        margin: Difference that counts as none.

    Example:
        >>> found = paired([0.82, 0.85, 0.84], [0.80, 0.82, 0.82])
        >>> f"{found.mean:.3f} [{found.low:.3f}, {found.high:.3f}], {found.wins} of {found.n}: {found.verdict}"
        '0.023 [0.009, 0.038], 3 of 3: better'
    """
    gap = np.asarray(values, dtype=np.float64) - np.asarray(reference, dtype=np.float64)
    gap = gap[np.isfinite(gap)]
    n = len(gap)
    wins, losses = int((gap > 0).sum()), int((gap < 0).sum())
    if n < 2:
        mean = float(gap[0]) if n else math.nan
        return Paired(mean, math.nan, math.nan, n, wins, losses, math.nan, math.nan, margin)
    mean, error = _mean_and_error(gap)
    if error == 0:  # the same difference on every seed says nothing of how it would vary
        return Paired(mean, math.nan, math.nan, n, wins, losses, math.nan, math.nan, margin)
    half = float(stdtrit(n - 1, 0.975)) * error
    p = 2 * float(stdtr(n - 1, -abs(mean) / error))
    return Paired(mean, mean - half, mean + half, n, wins, losses, p, tost(gap, margin), margin)


def tost(gap: Floats, margin: float = MARGIN) -> float:
    r"""The larger p value of two one-sided t tests, of :math:`\delta \le -m` and of :math:`\delta \ge m`.

    Args:
        gap: Differences, at least two.
        margin: m.

    References:
        Schuirmann, A comparison of the two one-sided tests procedure ... (1987).
    """
    n = len(gap)
    if n < 2:
        return math.nan
    mean, error = _mean_and_error(gap)
    if error == 0:
        return 0.0 if abs(mean) < margin else 1.0
    return max(float(stdtr(n - 1, -(mean + margin) / error)), float(stdtr(n - 1, (mean - margin) / error)))


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down correction; NaN stays NaN and counts as no test.

    Example:
        >>> holm([0.01, 0.04, 0.03])
        [0.03, 0.06, 0.06]
    """
    tested = [number for number, p in enumerate(p_values) if math.isfinite(p)]
    adjusted = [math.nan] * len(p_values)
    largest = 0.0
    for rank, number in enumerate(sorted(tested, key=lambda number: p_values[number])):
        largest = max(largest, min(1.0, (len(tested) - rank) * p_values[number]))
        adjusted[number] = largest
    return adjusted


def mean_estimate(values: Sequence[float] | Floats, least: float = -math.inf, most: float = math.inf) -> Estimate:
    """Mean with its 95 % t interval over seeds.

    Args:
        values: One per seed.
        least: The figure cannot be lower, nor can the interval's end: with two or three seeds a t interval is wider
            than all that is possible.
        most: Nor higher.
    """
    known = np.asarray(values, dtype=np.float64)
    known = known[np.isfinite(known)]
    if not len(known):
        return Estimate.undefined("no seed has a figure")
    if len(known) < 2:
        return Estimate(float(known[0]), reason="one seed: no interval")
    mean, error = _mean_and_error(known)
    if error == 0:
        return Estimate(mean, reason="the same on every seed: no interval")
    half = float(stdtrit(len(known) - 1, 0.975)) * error
    return Estimate(mean, max(mean - half, least), min(mean + half, most))


def share_closed(
    values: Sequence[float] | Floats,
    reference: Sequence[float] | Floats,
    oracle: Sequence[float] | Floats,
) -> Estimate:
    r"""Share of the distance from the reference to the oracle that an arm covers, with Fieller's interval over seeds.

    The share is a ratio of means: the mean difference over the mean distance. Below 0 the arm is worse than the
    reference, above 1 better than the oracle. The interval holds the shares :math:`\theta` for which the mean of
    difference less :math:`\theta` times distance is not shown to differ from 0 by a t test at 5 %; a bootstrap of two
    to ten seeds is far too short.

    Args:
        values: The arm, one number per seed.
        reference: The reference on the same seeds.
        oracle: The oracle on the same seeds.

    Returns:
        Undefined where there is no distance to close: the oracle is not above the reference by its own 95 % interval.

    References:
        Fieller, Journal of the Royal Statistical Society B (1954).
    """
    stacked = np.asarray([values, reference, oracle], dtype=np.float64)
    stacked = stacked[:, np.isfinite(stacked).all(0)]
    gap, distance = stacked[0] - stacked[1], stacked[2] - stacked[1]
    if len(gap) == 0:
        return Estimate.undefined("no seed has all three figures")
    whole = paired(stacked[2], stacked[1])
    if whole.mean <= 0 or (whole.n > 1 and whole.low <= 0):
        return Estimate.undefined("the oracle is not above the reference: there is no distance to close")
    share = float(gap.mean() / distance.mean())
    if len(gap) < 2:
        return Estimate(share, reason="one seed: no interval")
    if np.ptp(gap) <= 1e-12 and np.ptp(distance) <= 1e-12:
        return Estimate(share, reason="the same on every seed: no interval")
    covariance = np.cov(gap, distance) / len(gap) * float(stdtrit(len(gap) - 1, 0.975)) ** 2
    a = float(distance.mean()) ** 2 - covariance[1, 1]
    b = float(gap.mean() * distance.mean()) - covariance[0, 1]
    c = float(gap.mean()) ** 2 - covariance[0, 0]
    if a <= 0 or b * b < a * c:
        return Estimate(share, reason="the distance is not certain enough: no interval")
    half = math.sqrt(b * b - a * c)
    return Estimate(share, (b - half) / a, (b + half) / a)


def _mean_and_error(values: Floats) -> tuple[float, float]:
    """Mean and standard error; equal numbers have no error, whatever rounding says."""
    if np.ptp(values) <= 1e-12:
        return float(values[0]), 0.0
    return float(values.mean()), float(values.std(ddof=1) / math.sqrt(len(values)))
