"""One number in many cells of new patients that stood in few of training: filled in for a blank, or cut off."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from gdsfd.cohort.schema import QUANTILE_LEVELS, NumericScale

__all__ = ["largest_share", "repeated_value"]

_ENOUGH = 20  #: values here, and in training
_DIFFERENT = 10  #: different quantiles of training, from which on a column is taken for measured, not counted or coded
_TIMES = 2.0  #: as large a share here as it can have been in training
_FEWEST = 0.1  #: of the values here
_ERRORS = 4.0  #: standard errors beyond the share of training
_SAMPLE = 100_000  #: values that are looked at


def largest_share(scale: NumericScale, value: float) -> float:
    """The largest share of training's values that can have been this one, by the quantiles that are kept of them.

    Args:
        scale: What is known of training.
        value: A value.

    Example:
        >>> scale = NumericScale(100, 8.0, 4.0, tuple(16.0 * level for level in QUANTILE_LEVELS))
        >>> [round(largest_share(scale, value), 3) for value in (7.0, 8.0, 99.0)]
        [0.1, 0.2, 0.01]
    """
    quantiles = np.array(scale.quantiles)
    near = np.abs(quantiles - value) <= 1e-6 * max(abs(value), 1e-30)
    below, above = np.flatnonzero(~near & (quantiles < value)), np.flatnonzero(~near & (quantiles > value))
    if not len(below):  # also of what no quantile reaches: those at the ends hold at least five patients
        return QUANTILE_LEVELS[min(max(1, int(above[0])), len(quantiles) - 1)] if len(above) else 1.0
    if not len(above):
        return 1.0 - QUANTILE_LEVELS[min(int(below[-1]), len(quantiles) - 2)]
    return QUANTILE_LEVELS[int(above[0])] - QUANTILE_LEVELS[int(below[-1])]


def repeated_value(values: NDArray[np.floating], scale: NumericScale) -> tuple[float, float] | None:
    """The most frequent number of new patients, where training can hardly have had it as often.

    Only columns that are measured are looked at, not counts, scores and codes, of which a number is often had by many.

    Args:
        values: The new patients'; [n], none missing.
        scale: What is known of training.

    Returns:
        The number, and its share of the cells; None where nothing stands out.
    """
    if min(len(values), scale.count) < _ENOUGH or len(set(scale.quantiles)) < _DIFFERENT:
        return None
    looked_at = values[:: max(1, math.ceil(len(values) / _SAMPLE))]
    numbers, counts = np.unique(looked_at, return_counts=True)
    value, share = float(numbers[counts.argmax()]), int(counts.max()) / len(looked_at)
    before = largest_share(scale, value)
    error = math.sqrt(max(before * (1 - before), 0.01) / len(looked_at))
    if share < max(_FEWEST, _TIMES * before, before + _ERRORS * error):
        return None
    return value, share
