"""Warnings about numbers in two units: of one environment against the others, or of two groups with nothing between."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from gdsfd.cohort.checks.candidates import Ranked, leak_candidates
from gdsfd.cohort.checks.leakage import MAX_PATIENTS
from gdsfd.cohort.cohort import Cohort
from gdsfd.cohort.modality_kind import kind_of
from gdsfd.cohort.receipt.receipt import Finding
from gdsfd.errors import cell_text

__all__ = ["find_two_units"]

_FEWEST = 10  #: different values on either side
_OWN, _OTHERS = 20, 50  #: the fewest patients of an environment, and of all others, for their ranges to be known
_IN_GROUP = 30  #: the fewest values of either group
_LEVELS = ("", "mean")  #: summaries that are in the unit of the values; how many there are is not
_ENVIRONMENTS = 50  #: the largest ones, which are looked at
_SMALL = 0.05  #: share of the patients below which an environment moves the others' quantiles little
_OUTSIDE = 0.5  #: share of an environment's values outside the middle 98 % of the others'; 0.02 is expected
_APART = 2.0  #: how many times the largest of the lower group the least of the upper one is
_SIDE = 0.05  #: the least share of either group
_ALIKE = 2.0  #: how many times as wide as the other a group may be, by the quartiles of logarithms
_SAMPLE = 100_000  #: values that are looked at for two groups

Floats = NDArray[np.floating]


def find_two_units(cohort: Cohort) -> list[Finding]:
    """A finding for each number that hardly any other environment has like one of them, or that falls into two groups.

    Args:
        cohort: The cohort.
    """
    return [*_by_environment(cohort), *_in_two_groups(cohort)]


def _by_environment(cohort: Cohort) -> Iterator[Finding]:
    if cohort.environment is None:
        return
    names, of_patient = np.unique(np.asarray(cohort.environment, dtype=str), return_inverse=True)
    if len(names) < 2:
        return
    told: set[str] = set()
    place, chosen = np.full(len(cohort), -1), np.arange(len(cohort))
    if len(cohort) > MAX_PATIENTS:
        chosen = np.sort(np.random.default_rng(0).choice(chosen, MAX_PATIENTS, replace=False))
    place[chosen] = np.arange(len(chosen))
    of_patient = of_patient[chosen]
    for candidate in leak_candidates(cohort, place):
        if not isinstance(candidate, Ranked) or candidate.where in told or candidate.what not in _LEVELS:
            continue
        values, environment = candidate.values, of_patient[candidate.patient]
        counts = np.bincount(environment, minlength=len(names))
        whole = np.quantile(values, [0.01, 0.99]) if len(values) else None
        for number in np.argsort(-counts, kind="stable")[:_ENVIRONMENTS]:
            if counts[number] < _OWN or len(values) - counts[number] < _OTHERS or whole is None:
                continue
            own = values[environment == number]
            few = counts[number] < _SMALL * len(values)
            others = values if few else values[environment != number]
            low, high = whole if few else np.quantile(others, [0.01, 0.99])
            outside = float(((own < low) | (own > high)).mean())
            if outside > _OUTSIDE and len(np.unique(own)) >= _FEWEST and high > low:
                told.add(candidate.where)
                words = f"its values ({candidate.what})" if candidate.what else "its values"
                text = (
                    f"in {cell_text(str(names[number]))} {outside:.0%} of {words} lie outside the middle 98 % of those "
                    f"elsewhere ({low:.3g} to {high:.3g}; the median is {float(np.median(own)):.3g} there and "
                    f"{float(np.median(others)):.3g} elsewhere): another unit or analyser? Make them one with derive, "
                    "or the environment is told by them"
                )
                yield Finding("range", candidate.where, text, outside)
                break


def _in_two_groups(cohort: Cohort) -> Iterator[Finding]:
    for fields in cohort.schema.modalities:
        ranges = kind_of(fields).ranges
        if ranges is None:
            continue
        for name, values, scales in ranges(fields, cohort.observations[fields.name]):
            if len(scales) != 1:
                continue
            column = values[:, 0]
            gap = _gap(column[:: max(1, len(column) // _SAMPLE)])
            if gap is None:
                continue
            low, high = gap
            below = int((column <= low).sum())
            text = (
                f"its values fall into two groups with nothing between: {below:,} of {len(column):,} are "
                f"{column.min():.3g} to {low:.3g}, the others {high:.3g} to {column.max():.3g}. Are they in two units? "
                "Make them one with derive"
            )
            yield Finding("range", f"{fields.name}.{name}", text, below / len(column))


def _gap(values: Floats) -> tuple[float, float] | None:
    """The ends of a wide gap between two groups of positive numbers, each of enough different ones; else None.

    The groups must be spread alike, by factors, as one quantity in two units is; a long tail is not.
    """
    if len(values) < 2 * _IN_GROUP or not (values > 0).all():
        return None
    different, counts = np.unique(values, return_counts=True)
    wide = np.flatnonzero(different[1:] >= _APART * different[:-1])
    below = np.cumsum(counts)[wide]
    least = max(_IN_GROUP, _SIDE * len(values))
    enough = (wide + 1 >= _FEWEST) & (len(different) - wide - 1 >= _FEWEST)
    found = wide[enough & (below >= least) & (len(values) - below >= least)]
    if len(found) != 1:
        return None
    low, high = float(different[found[0]]), float(different[found[0] + 1])
    spread = [
        np.subtract(*np.quantile(np.log(group), [0.75, 0.25]))
        for group in (values[values <= low], values[values > low])
    ]
    return (low, high) if min(spread) * _ALIKE >= max(spread) else None
