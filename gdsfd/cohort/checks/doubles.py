"""Warnings about patients of two persons who have the very same values: one person under two ids."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gdsfd.cohort.cohort import Cohort, EventObservations, TableObservations
from gdsfd.cohort.receipt.receipt import Finding
from gdsfd.errors import shown

__all__ = ["find_doubles"]

_NUMBERS, _DIFFERENT = 8, 5  #: that a patient must have measured for their equality to be no chance
_MANY = 10  #: patients who are all alike are a default of the export, not doubles

Hashes = NDArray[np.uint64]


def find_doubles(cohort: Cohort, show_ids: bool = False) -> list[Finding]:
    """A finding where patients of different persons have the same numbers in all tables and events.

    Args:
        cohort: The cohort.
        show_ids: Whether some may be named.
    """
    total = np.zeros(len(cohort), np.uint64)
    numbers, kinds = np.zeros(len(cohort), np.int64), np.zeros(len(cohort), np.int64)
    for place, observed in enumerate(cohort.observations.values()):
        if isinstance(observed, TableObservations):
            content, count, different = _of_table(observed)
        elif isinstance(observed, EventObservations):
            content, count, different = _of_events(observed)
        else:
            continue
        total[observed.patient] += _mixed(content + np.uint64(place + 1))
        numbers[observed.patient] += count
        kinds[observed.patient] = np.maximum(kinds[observed.patient], different)
    enough = np.flatnonzero((numbers >= _NUMBERS) & (kinds >= _DIFFERENT))
    groups = _alike(total[enough], enough)
    subject = np.asarray(cohort.subject, dtype=object)
    groups = [rows for rows in groups if len(rows) <= _MANY and len(set(subject[rows])) > 1]
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


def _of_table(observed: TableObservations) -> tuple[Hashes, NDArray[np.int64], NDArray[np.int64]]:
    """Hash of each row, its measured numbers, and how many different ones these are at most."""
    width = observed.numeric.shape[1]
    content = np.zeros(len(observed.patient), np.uint64)
    for column in range(width):
        content += _mixed(_bits(observed.numeric[:, column]) * np.uint64(2 * column + 3))
    for column in range(observed.categorical.shape[1]):
        content += _mixed(observed.categorical[:, column].astype(np.uint64) * np.uint64(2 * (width + column) + 3))
    count = np.zeros(len(observed.patient), np.int64)
    different = np.zeros(len(observed.patient), np.int64)
    step = max(1, (1 << 22) // max(width, 1))
    for first in range(0, len(count), step):
        piece = np.sort(observed.numeric[first : first + step], axis=1)  # NaN go to the end
        there = ~np.isnan(piece)
        count[first : first + step] = there.sum(1)
        new = there.copy()
        new[:, 1:] &= piece[:, 1:] != piece[:, :-1]
        different[first : first + step] = new.sum(1)
    return content, count, different


def _of_events(observed: EventObservations) -> tuple[Hashes, NDArray[np.int64], NDArray[np.int64]]:
    """The same of a patient's cells, whatever their order."""
    count = np.diff(observed.ptr)
    content = np.zeros(len(count), np.uint64)
    different = np.zeros(len(count), np.int64)
    for row in range(0, len(count), step := 1 << 14):
        ptr = observed.ptr[row : row + step + 1]
        cells = slice(int(ptr[0]), int(ptr[-1]))
        key = observed.step[cells].astype(np.uint64) * np.uint64(1 << 32) + observed.item[cells].astype(np.uint64)
        owner = np.repeat(np.arange(len(ptr) - 1), np.diff(ptr))
        value = _bits(observed.value[cells])
        hashed = _mixed(key * np.uint64(3) + _mixed(value))
        np.add.at(content[row : row + step], owner, hashed)
        order = np.lexsort((value, owner))
        new = np.ones(len(order), bool)
        new[1:] = (value[order][1:] != value[order][:-1]) | (owner[order][1:] != owner[order][:-1])
        different[row : row + step] = np.bincount(owner[order][new], minlength=len(ptr) - 1)
    return content, count, different


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
