"""Intervals of shares: exact binomial limits at the effective size."""

from __future__ import annotations

import math

from scipy.special import betaincinv

__all__ = ["share_interval"]


def share_interval(share: float, size: float, level: float = 0.95) -> tuple[float, float]:
    """Clopper-Pearson limits of a share.

    They hold their level for every true share, which Wilson's do not near 0 and 1 in samples of five. Under clustering
    ``size`` is the effective one, and need not be whole.

    Args:
        share: The observed share.
        size: Patients, or what they are worth (:func:`~gdsfd.evaluation.intervals.effective_size.effective_size`).
        level: Coverage.

    References:
        Clopper and Pearson (1934); Korn and Graubard (1998) for the effective size.

    Example:
        >>> low, high = share_interval(1.0, 5)
        >>> round(low, 3), high
        (0.478, 1.0)
    """
    if not (size > 0 and math.isfinite(share)):
        return math.nan, math.nan
    tail = (1 - level) / 2
    hits = share * size
    misses = size - hits
    low = float(betaincinv(hits, misses + 1, tail)) if hits > 0 else 0.0
    high = float(betaincinv(hits + 1, misses, 1 - tail)) if misses > 1e-9 else 1.0
    return low, high
