"""Train-row statistics of numeric columns."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gdsfd.cohort.fields import QUANTILE_LEVELS, NumericScale

__all__ = ["numeric_scale", "numeric_scales"]


def numeric_scale(values: NDArray[np.floating]) -> NumericScale:
    """Statistics of the values that are not NaN; all zero when there is none.

    Args:
        values: Training values.

    Example:
        >>> numeric_scale(np.array([1.0, np.nan, 3.0])).mean
        2.0
    """
    measured = values[~np.isnan(values)].astype(np.float64)
    if not len(measured):
        return NumericScale(0, 0.0, 0.0, (0.0,) * len(QUANTILE_LEVELS))
    quantiles = np.quantile(measured, QUANTILE_LEVELS)
    return NumericScale(
        len(measured), float(measured.mean()), float(measured.std()), tuple(float(value) for value in quantiles)
    )


def numeric_scales(matrix: NDArray[np.floating]) -> tuple[NumericScale, ...]:
    """One :func:`numeric_scale` per column.

    Args:
        matrix: Training rows; [rows, columns].
    """
    return tuple(numeric_scale(matrix[:, column]) for column in range(matrix.shape[1]))
