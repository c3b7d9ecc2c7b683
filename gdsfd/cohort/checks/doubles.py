"""Warnings about patients of two persons who have the very same values: one person under two ids."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gdsfd.cohort.cohort import Cohort, EventObservations, TableObservations
from gdsfd.cohort.receipt.receipt import Finding
from gdsfd.errors import shown

__all__ = ["find_doubles"]

_NUMBERS, _DIFFERENT = 8, 5  #: that a patient must have measured for their equality to be no chance
_PATIENTS = 1 << 14  #: whose events are looked at together
_MANY = 10  #: patients who are all alike are a default of the export, not doubles

Hashes = NDArray[np.uint64]


def find_doubles(cohort: Cohort, show_ids: bool = False) -> list[Finding]:
    """A finding where patients of different persons have the same numbers in all tables and events.

    Args:
        cohort: The cohort.
        show_ids: Whether some may be named.
    """
    total, numbers = np.zeros(len(cohort), np.uint64), np.zeros(len(cohort), np.int64)
    for place, observed in enumerate(cohort.observations.values()):
        if isinstance(observed, TableObservations):
            content, count = _of_table(observed)
        elif isinstance(observed, EventObservations):
            content, count = _of_events(observed)
        else:
            continue
        total[observed.patient] += _mixed(content + np.uint64(place + 1))
        numbers[observed.patient] += count
    enough = np.flatnonzero(numbers >= _NUMBERS)
    subject = np.asarray(cohort.subject, dtype=object)
    groups = [
        rows
        for rows in _alike(total[enough], enough)
        if len(rows) <= _MANY and len(set(subject[rows])) > 1 and _different(cohort, int(rows[0])) >= _DIFFERENT
    ]
    if not groups:
        return []
    split = np.asarray(cohort.split, dtype=object)
    apart = sum(len(rows) for rows in groups if len(set(split[rows])) > 1)
    patients = sum(map(len, groups))
    across = (
        f"; {apart:,} of them have their double in another split, where it is judged what was learned" if apart else ""
    )
    pairs = [f"{cohort.id[rows[0]]} and {cohort.id[rows[1]]}" for rows in groups[:3]]
    named = f" (e.g. {shown(pairs)})" if show_ids else ""
    text = (
        f"{patients:,} patients have the very same numbers in all tables and events as a patient of another person"
        f"{named}{across}. Is it one person under two ids, or an export that was taken twice? Name the person under "
        "cohort.subject, or leave the doubles out with where"
    )
    return [Finding("split", "cohort", text, float(patients))]


def _of_table(observed: TableObservations) -> tuple[Hashes, NDArray[np.int64]]:
    """Hash of each row, and how many measured numbers it has."""
    width = observed.numeric.shape[1]
    content = np.zeros(len(observed.patient), np.uint64)
    count = np.zeros(len(observed.patient), np.int64)
    for column in range(width):
        values = observed.numeric[:, column]
        content += _mixed(_bits(values) * np.uint64(2 * column + 3))
        count += ~np.isnan(values)
    for column in range(observed.categorical.shape[1]):
        content += _mixed(observed.categorical[:, column].astype(np.uint64) * np.uint64(2 * (width + column) + 3))
    return content, count


def _of_events(observed: EventObservations) -> tuple[Hashes, NDArray[np.int64]]:
    """The same of a patient's cells."""
    content = np.zeros(len(observed.patient), np.uint64)
    for first in range(0, len(content), _PATIENTS):
        ptr = observed.ptr[first : first + _PATIENTS + 1]
        cells = slice(int(ptr[0]), int(ptr[-1]))
        key = observed.step[cells].astype(np.uint64) * np.uint64(1 << 32) + observed.item[cells].astype(np.uint64)
        hashed = _mixed(key * np.uint64(3) + _mixed(_bits(observed.value[cells])))
        upto = np.concatenate([np.zeros(1, np.uint64), np.cumsum(hashed, dtype=np.uint64)])  # wraps around, like sums
        own = ptr - ptr[0]
        content[first : first + len(own) - 1] = upto[own[1:]] - upto[own[:-1]]
    return content, np.diff(observed.ptr)


def _different(cohort: Cohort, row: int) -> int:
    """How many different numbers a patient has in the modality that has the most."""
    most = 0
    for observed in cohort.observations.values():
        if not isinstance(observed, (TableObservations, EventObservations)):
            continue
        place = int(np.searchsorted(observed.patient, row))
        if place == len(observed.patient) or observed.patient[place] != row:
            continue
        if isinstance(observed, TableObservations):
            values = observed.numeric[place]
        else:
            values = observed.value[int(observed.ptr[place]) : int(observed.ptr[place + 1])]
        most = max(most, len(np.unique(values[~np.isnan(values)])))
    return most


def _bits(values: NDArray[np.float32]) -> Hashes:
    return np.ascontiguousarray(values).view(np.uint32).astype(np.uint64)


def _mixed(values: Hashes) -> Hashes:
    """Bits mixed so that sums of them tell sets apart (the finaliser of SplitMix64); wraps around, as is meant."""
    mixed = values + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))


def _alike(hashes: Hashes, rows: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Groups of two rows and more with one hash, in their order."""
    order = np.argsort(hashes, kind="stable")
    starts = np.flatnonzero(np.concatenate([[True], hashes[order][1:] != hashes[order][:-1]])) if len(order) else order
    groups = [np.sort(rows[part]) for part in np.split(order, starts[1:]) if len(part) > 1]
    return sorted(groups, key=lambda group: int(group[0]))
