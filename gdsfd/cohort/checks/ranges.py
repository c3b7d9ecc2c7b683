"""Warnings about values that lie elsewhere than those a schema was fitted on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gdsfd.cohort.checks.repeated_values import largest_share, repeated_value
from gdsfd.cohort.cohort import Cohort
from gdsfd.cohort.modality_kind import kind_of
from gdsfd.cohort.receipt.receipt import Finding
from gdsfd.cohort.schema import QUANTILE_LEVELS, NumericScale

__all__ = ["find_other_ranges"]

LEAST = 5  #: values that a column or item needs
MOST_OUTSIDE = 0.5  #: share of values outside the middle 98 % of training values that is told; 0.02 is expected
_CELLS = 1 << 22  #: that are looked at at a time
ENOUGH = 20  #: values here, and in training, for the finer questions
MOST_CODES = 20  #: whole numbers in a range up to so wide are taken for codes or scores
NEW_CODES = 0.05  #: share of values beyond all of training's that is told of such
_SAMPLE = 100_000  #: values that are looked at for the quartiles
_QUARTILES = QUANTILE_LEVELS.index(0.25), QUANTILE_LEVELS.index(0.75)
_LOW, _MIDDLE, _HIGH = (QUANTILE_LEVELS.index(level) for level in (0.01, 0.5, 0.99))

Floats = NDArray[np.floating]


def find_other_ranges(cohort: Cohort) -> list[Finding]:
    """A finding for each numeric column, item or vector most of whose values training patients hardly ever had.

    For patients read with an earlier schema: the usual cause is another unit, analyser or version of an encoder.
    Numbers with a wide range may be in another unit and still lie inside of it, so a column is told, too, where the
    middle halves of both do not meet; scores or codes (whole numbers close together) where some stand beyond all of
    training's; and measurements where one number stands in far more cells than in training.

    Args:
        cohort: The cohort.
    """
    found = []
    for fields in cohort.schema.modalities:
        ranges = kind_of(fields).ranges
        if ranges is None:
            continue
        for name, values, scales in ranges(fields, cohort.observations[fields.name]):
            finding = _judge(f"{fields.name}.{name}" if name else fields.name, values, scales)
            if finding is not None:
                found.append(finding)
    return found


def _limits(scale: NumericScale) -> tuple[float, float]:
    """The middle 98 %; where few patients or ties pull its ends in, the standard deviation is given in addition."""
    low, high = scale.quantiles[_LOW], scale.quantiles[_HIGH]
    return (
        low - scale.std if low == scale.quantiles[0] else low,
        high + scale.std if high == scale.quantiles[-1] else high,
    )


def _judge(where: str, values: Floats, scales: tuple[NumericScale, ...]) -> Finding | None:
    if len(values) < LEAST or not all(scale.count for scale in scales):
        return None
    limits = np.array([_limits(scale) for scale in scales], dtype=values.dtype)
    outside = 0
    for first in range(0, len(values), rows := max(1, _CELLS // values.shape[1])):
        piece = values[first : first + rows]
        outside += int(((piece < limits[:, 0]) | (piece > limits[:, 1])).sum())
    share = outside / values.size
    if share <= MOST_OUTSIDE:
        return _finer(where, values[:, 0], scales[0]) if len(scales) == 1 else None
    text = f"{outside:,} of {values.size:,} values lie outside the middle 98 % of those in training"
    if len(scales) == 1:
        low, middle, high = (scales[0].quantiles[place] for place in (_LOW, _MIDDLE, _HIGH))
        text += f" ({low:.3g} to {high:.3g}; the median was {middle:.3g} and is {float(np.median(values)):.3g} here)"
    return Finding("range", where, f"{text}: another unit, analyser or encoder?", share)


def _finer(where: str, values: Floats, scale: NumericScale) -> Finding | None:
    """Other codes, or another level, within the range of training."""
    if min(len(values), scale.count) < ENOUGH:
        return None
    lowest, highest = scale.quantiles[0], scale.quantiles[-1]
    if highest - lowest <= MOST_CODES and all(float(level).is_integer() for level in scale.quantiles):
        beyond = values[(values < lowest) | (values > highest)]
        if len(beyond) >= NEW_CODES * len(values):
            numbers = ", ".join(f"{number:g}" for number in np.unique(beyond)[:5])
            text = (
                f"{len(beyond):,} of {len(values):,} values are {numbers}, and those of training were {lowest:g} to "
                f"{highest:g}: are the codes others here, or shifted? Derive those of training"
            )
            return Finding("range", where, text, len(beyond) / len(values))
    first, third = np.quantile(values[:: max(1, len(values) // _SAMPLE)], [0.25, 0.75])
    before = scale.quantiles[_QUARTILES[0]], scale.quantiles[_QUARTILES[1]]
    if before[0] < before[1] and (third < before[0] or first > before[1]):
        text = (
            f"the middle half of the values, {first:.3g} to {third:.3g}, does not meet that of training, "
            f"{before[0]:.3g} to {before[1]:.3g}: another unit or analyser, or quite other patients?"
        )
        return Finding("range", where, text, float(np.median(values)))
    if repeated := repeated_value(values, scale):
        number, share = repeated
        text = (
            f"{share:.0%} of the values are {number:.6g}, which were at most {largest_share(scale, number):.0%} in "
            "training: filled in where nothing was measured, cut off, or rounded? Where it stands for a blank, declare "
            "it missing"
        )
        return Finding("range", where, text, share)
    return None
