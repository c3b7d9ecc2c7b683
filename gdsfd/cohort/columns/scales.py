"""Train-row statistics of numeric columns, with no value that tells one patient's."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gdsfd.cohort.columns.by_column import by_column
from gdsfd.cohort.schema import QUANTILE_LEVELS, NumericScale

__all__ = ["FEWEST_PATIENTS", "numeric_scale", "numeric_scales"]

FEWEST_PATIENTS = 5  #: patients that have to lie at or beyond the lowest and the highest number that is stored


def numeric_scale(values: NDArray[np.floating], patients: NDArray[np.integer] | None = None) -> NumericScale:
    """Statistics of the values that are not NaN; all zero when there is none.

    Scales travel with models, so they tell nobody's value: at or below the lowest quantile lie at least
    :data:`FEWEST_PATIENTS` patients, and as many at or above the highest. Where there are too few for that (below nine)
    every quantile is the mean; of fewer than five patients mean and deviation are known to one digit only.

    Args:
        values: Training values.
        patients: Whose value each is; default: each is another patient's.

    Example:
        >>> scale = numeric_scale(np.arange(101.0))
        >>> scale.mean, scale.quantiles[0], scale.quantiles[8], scale.quantiles[-1]
        (50.0, 4.0, 50.0, 96.0)
    """
    there = ~np.isnan(values)
    measured = values[there].astype(np.float64)
    if not len(measured):
        return NumericScale(0, 0.0, 0.0, (0.0,) * len(QUANTILE_LEVELS))
    lowest, highest = _extremes(measured, None if patients is None else patients[there])
    mean, deviation = float(measured.mean()), float(measured.std())
    if len(lowest) < FEWEST_PATIENTS:
        mean, deviation = float(f"{mean:.0e}"), float(f"{deviation:.0e}")
    if len(lowest) < 2 * FEWEST_PATIENTS - 1:
        return NumericScale(len(measured), mean, deviation, (mean,) * len(QUANTILE_LEVELS))
    low = np.partition(lowest, FEWEST_PATIENTS - 1)[FEWEST_PATIENTS - 1]
    high = np.partition(highest, -FEWEST_PATIENTS)[-FEWEST_PATIENTS]
    quantiles = np.clip(np.quantile(measured, QUANTILE_LEVELS), low, high)
    return NumericScale(len(measured), mean, deviation, tuple(float(value) for value in quantiles))


def numeric_scales(matrix: NDArray[np.floating], rows: NDArray[np.bool_] | None = None) -> tuple[NumericScale, ...]:
    """One :func:`numeric_scale` per column.

    Args:
        matrix: One row per patient; [R, columns].
        rows: Those that train; bool [R]; default: all.
    """
    return tuple(numeric_scale(column) for column in by_column(matrix, rows))


def _extremes(
    values: NDArray[np.float64], patients: NDArray[np.integer] | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Each patient's lowest and highest value."""
    if patients is None:
        return values, values
    if (patients[1:] < patients[:-1]).any():
        order = np.argsort(patients, kind="stable")
        patients, values = patients[order], values[order]
    starts = np.flatnonzero(np.append(True, patients[1:] != patients[:-1]))
    return np.minimum.reduceat(values, starts), np.maximum.reduceat(values, starts)
