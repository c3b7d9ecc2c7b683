r"""Intervals of differences and of means of figures, made from the figures' own intervals.

A difference is known no better than its two figures: with the distances from the figures to the ends of their intervals
in place of standard errors, the rule for the variance of a difference gives limits that keep the intervals' asymmetry,
and that do not shrink to nothing where both figures are at the end of their scale.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gdsfd.evaluation.metrics.estimate import Estimate

__all__ = ["difference_interval", "mean_of_figures_interval", "resampled_correlation"]

Floats = NDArray[np.float64]


def difference_interval(first: Estimate, second: Estimate, correlation: float = 0.0) -> tuple[float, float]:
    r"""Limits of ``first - second``.

    .. math:: L = d - \sqrt{(a - a_l)^2 - 2 r (a - a_l)(b_u - b) + (b_u - b)^2} \qquad
              U = d + \sqrt{(a_u - a)^2 - 2 r (a_u - a)(b - b_l) + (b - b_l)^2}

    Args:
        first: A figure a with its interval.
        second: A figure b with its interval.
        correlation: r of the two estimates; 0 where no patient is in both.

    References:
        Newcombe, Statistics in Medicine (1998) for two shares; Zou and Donner, Statistics in Medicine (2008), the
        method of variance estimates recovery, for any figures and correlated ones.

    Example:
        >>> difference_interval(Estimate(0.8, 0.77, 0.83), Estimate(0.7, 0.66, 0.74))
        (0.05, 0.15)
    """
    gap = first.value - second.value
    below = _length(first.value - first.low, second.high - second.value, correlation)
    above = _length(first.high - first.value, second.value - second.low, correlation)
    return round(gap - below, 12), round(gap + above, 12)


def _length(one: float, other: float, correlation: float) -> float:
    return math.sqrt(max(0.0, one**2 - 2 * correlation * one * other + other**2))


def mean_of_figures_interval(parts: Sequence[Estimate], correlations: Floats) -> tuple[float, float]:
    """Limits of the plain mean of several figures, by the same rule.

    Args:
        parts: The figures, each with its interval; K of them.
        correlations: Of their estimates; [K, K].
    """
    value = float(np.mean([part.value for part in parts]))
    below = np.array([part.value - part.low for part in parts]) / len(parts)
    above = np.array([part.high - part.value for part in parts]) / len(parts)
    return (
        value - math.sqrt(max(0.0, float(below @ correlations @ below))),
        value + math.sqrt(max(0.0, float(above @ correlations @ above))),
    )


def resampled_correlation(first: Floats, second: Floats) -> float:
    """Correlation of two figures over the resamples in which both are defined; 0 where one of them does not vary.

    Args:
        first: A figure in every resample, NaN where undefined; [R].
        second: Another in the same resamples; [R].
    """
    both = np.isfinite(first) & np.isfinite(second)
    if both.sum() < 3:
        return 0.0
    one, other = first[both] - first[both].mean(), second[both] - second[both].mean()
    spread = math.sqrt(float(one @ one) * float(other @ other))
    return float(np.clip(one @ other / spread, -1.0, 1.0)) if spread > 1e-15 else 0.0
