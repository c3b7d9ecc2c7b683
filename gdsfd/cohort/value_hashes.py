"""A number for all that was measured of a patient, by which two of the same values are found without comparing them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "FEWEST_DIFFERENT",
    "FEWEST_NUMBERS",
    "MANY",
    "Hashes",
    "different_in_events",
    "different_in_table",
    "hashes_of_events",
    "hashes_of_table",
    "mixed",
]

FEWEST_NUMBERS, FEWEST_DIFFERENT = 8, 5  #: that a patient must have measured for equality to be no chance
MANY = 10  #: patients who are all alike are a default of the export, not one person
_PATIENTS = 1 << 14  #: whose events are looked at together

Hashes = NDArray[np.uint64]
Counts = NDArray[np.int64]


def hashes_of_table(numeric: NDArray[np.float32], categorical: NDArray[np.int64]) -> tuple[Hashes, Counts]:
    """Of each row a hash, and how many measured numbers it has.

    Args:
        numeric: Values, NaN where nothing was measured; [E, C].
        categorical: Numbers of levels; [E, D].
    """
    width = numeric.shape[1]
    content, count = np.zeros(len(numeric), np.uint64), np.zeros(len(numeric), np.int64)
    for column in range(width):
        values = numeric[:, column]
        content += mixed(_bits(values) * np.uint64(2 * column + 3))
        count += ~np.isnan(values)
    for column in range(categorical.shape[1]):
        content += mixed(categorical[:, column].astype(np.uint64) * np.uint64(2 * (width + column) + 3))
    return content, count


def hashes_of_events(
    ptr: NDArray[np.int64], step: NDArray[np.int32], item: NDArray[np.int32], value: NDArray[np.float32]
) -> tuple[Hashes, Counts]:
    """Of each patient's cells, in whatever order, a hash, and how many they are.

    Args:
        ptr: The cells of patient ``e`` are ``ptr[e]:ptr[e + 1]``; [E + 1].
        step: Time step of each cell.
        item: Item of each cell.
        value: Value of each cell.
    """
    content = np.zeros(len(ptr) - 1, np.uint64)
    for first in range(0, len(content), _PATIENTS):
        own = ptr[first : first + _PATIENTS + 1]
        cells = slice(int(own[0]), int(own[-1]))
        key = step[cells].astype(np.uint64) * np.uint64(1 << 32) + item[cells].astype(np.uint64)
        hashed = mixed(key * np.uint64(3) + mixed(_bits(value[cells])))
        upto = np.concatenate([np.zeros(1, np.uint64), np.cumsum(hashed, dtype=np.uint64)])  # wraps around, like sums
        place = own - own[0]
        content[first : first + len(own) - 1] = upto[place[1:]] - upto[place[:-1]]
    return content, np.diff(ptr).astype(np.int64)


def different_in_table(numeric: NDArray[np.float32]) -> Counts:
    """How many different numbers each row has; [E].

    Args:
        numeric: Values, NaN where nothing was measured; [E, C].
    """
    found = np.zeros(len(numeric), np.int64)
    for first in range(0, len(numeric), _PATIENTS):
        ordered = np.sort(numeric[first : first + _PATIENTS], axis=1)  # NaN last
        new = ~np.isnan(ordered)
        new[:, 1:] &= ordered[:, 1:] != ordered[:, :-1]
        found[first : first + _PATIENTS] = new.sum(1)
    return found


def different_in_events(ptr: NDArray[np.int64], value: NDArray[np.float32], rows: NDArray[np.int64]) -> Counts:
    """How many different numbers the cells of some patients have; [len(rows)].

    Args:
        ptr: The cells of patient ``e`` are ``ptr[e]:ptr[e + 1]``; [E + 1].
        value: Value of each cell.
        rows: The patients who are looked at.
    """
    found = np.zeros(len(rows), np.int64)
    for first in range(0, len(rows), _PATIENTS):
        own = rows[first : first + _PATIENTS]
        cells = ptr[own + 1] - ptr[own]
        before = np.cumsum(cells) - cells
        patient = np.repeat(np.arange(len(own)), cells)
        values = value[np.arange(len(patient)) + (ptr[own] - before)[patient]]
        order = np.lexsort((values, patient))
        values, patient = values[order], patient[order]
        new = ~np.isnan(values)
        new[1:] &= (values[1:] != values[:-1]) | (patient[1:] != patient[:-1])
        found[first : first + _PATIENTS] = np.bincount(patient[new], minlength=len(own))
    return found


def mixed(values: Hashes) -> Hashes:
    """Bits mixed so that sums of them tell sets apart (the finaliser of SplitMix64); wraps around, as is meant."""
    found = values + np.uint64(0x9E3779B97F4A7C15)
    found = (found ^ (found >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    found = (found ^ (found >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return found ^ (found >> np.uint64(31))


def _bits(values: NDArray[np.float32]) -> Hashes:
    return np.ascontiguousarray(values).view(np.uint32).astype(np.uint64)
