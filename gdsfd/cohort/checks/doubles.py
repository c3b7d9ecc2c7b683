"""Warnings about patients of two persons who have the very same values: one person under two ids."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gdsfd.cohort.cohort import Cohort, EventObservations, TableObservations
from gdsfd.cohort.receipt.receipt import Finding
from gdsfd.cohort.value_hashes import (
    FEWEST_DIFFERENT,
    FEWEST_NUMBERS,
    MANY,
    Hashes,
    hashes_of_events,
    hashes_of_table,
    mixed,
)
from gdsfd.errors import shown

__all__ = ["find_doubles"]


def find_doubles(cohort: Cohort, show_ids: bool = False) -> list[Finding]:
    """A finding where patients of different persons have the same numbers in all tables and events.

    Args:
        cohort: The cohort.
        show_ids: Whether some may be named.
    """
    total, numbers = np.zeros(len(cohort), np.uint64), np.zeros(len(cohort), np.int64)
    for place, observed in enumerate(cohort.observations.values()):
        if isinstance(observed, TableObservations):
            content, count = hashes_of_table(observed.numeric, observed.categorical)
        elif isinstance(observed, EventObservations):
            content, count = hashes_of_events(observed.ptr, observed.step, observed.item, observed.value)
        else:
            continue
        total[observed.patient] += mixed(content + np.uint64(place + 1))
        numbers[observed.patient] += count
    enough = np.flatnonzero(numbers >= FEWEST_NUMBERS)
    subject = np.asarray(cohort.subject, dtype=object)
    groups = [
        rows
        for rows in _alike(total[enough], enough)
        if len(rows) <= MANY and len(set(subject[rows])) > 1 and _different(cohort, int(rows[0])) >= FEWEST_DIFFERENT
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


def _alike(hashes: Hashes, rows: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Groups of two rows and more with one hash, in their order."""
    order = np.argsort(hashes, kind="stable")
    starts = np.flatnonzero(np.concatenate([[True], hashes[order][1:] != hashes[order][:-1]])) if len(order) else order
    groups = [np.sort(rows[part]) for part in np.split(order, starts[1:]) if len(part) > 1]
    return sorted(groups, key=lambda group: int(group[0]))
