"""Intervals of means over patients, such as the Brier score, whose spread rests on the few who had the outcome."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from gdsfd.evaluation.intervals.effective_size import sums_by_subject

__all__ = ["mean_interval"]

Floats = NDArray[np.float64]


def mean_interval(
    values: Floats, cluster: NDArray[np.int64], fewest: int, level: float = 0.95, above_zero: bool = False
) -> tuple[float, float]:
    r"""Student's t interval with the error summed by subject and the degrees of freedom of the rarer class.

    Where an outcome is rare, a mean over all patients is moved by the few who had it, so the t quantile is that of
    ``fewest - 1`` degrees of freedom (our choice). Scores that cannot fall below 0 are as skewed as they are small:
    their interval is made on the log scale, :math:`\bar v\, e^{\pm t s / \bar v}`.

    Args:
        values: One value per patient; [m].
        cluster: Number of each patient's subject; [m].
        fewest: Subjects of the rarer class.
        level: Coverage.
        above_zero: Whether values are never negative.

    Returns:
        The two ends, NaN with fewer than two subjects of a class or where the values do not vary.

    Example:
        >>> low, high = mean_interval(np.array([0.1, 0.3, 0.2, 0.2]), np.arange(4), 2, above_zero=True)
        >>> low > 0, high > 0.3
        (True, True)
    """
    mean = float(values.mean()) if len(values) else math.nan
    by_subject = sums_by_subject(values - mean, cluster)
    subjects = len(by_subject)
    if fewest < 2 or subjects < 2 or np.ptp(values) <= 1e-12:
        return math.nan, math.nan
    error = math.sqrt(float(by_subject @ by_subject) * subjects / (subjects - 1)) / len(values)
    half = float(stdtrit(fewest - 1, (1 + level) / 2)) * error
    if not above_zero:
        return mean - half, mean + half
    with np.errstate(over="ignore"):
        return mean * math.exp(-half / mean), float(mean * np.exp(half / mean))
