"""The values of each item of an event modality, for what is worked out item by item."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gdsfd.cohort.cohort import EventObservations
from gdsfd.cohort.packing import pieces_of_runs

__all__ = ["by_item", "values_by_item"]

_HELD = 1 << 24  #: cells that are put in the order of items at a time; an item with more is held by itself

Parts = tuple[NDArray[Any], ...]


def values_by_item(
    found: EventObservations, items: int, among: NDArray[np.bool_] | None = None
) -> Iterator[tuple[NDArray[np.float32], NDArray[np.int32]]]:
    """The cells of one item after the other, each in the order of patients and steps.

    Args:
        found: The events.
        items: Number of items.
        among: Patients whose cells are wanted; bool [N]; default: all.

    Yields:
        For each item its values, float32 [n], and whose each is, int32 [n].
    """
    owner = found.patient if among is None else np.where(among[found.patient], found.patient, -1)
    for patient, values in by_item(found.ptr, found.item, owner, items, [found.value]):
        yield values, patient


def by_item(
    ptr: NDArray[np.int64],
    item: NDArray[np.integer],
    owner: NDArray[np.int64],
    items: int,
    arrays: Sequence[NDArray[Any]],
) -> Iterator[Parts]:
    """Packed runs, whose cells lie by patient, item by item.

    Of many cells only those of some items are put in order at a time, and all cells are gone through again for the next
    ones, so memory is bounded by what one item has.

    Args:
        ptr: Pointers of the runs; [R + 1].
        item: Item of each cell; [M].
        owner: A number for each run, -1 = it is passed over; [R].
        items: Number of items.
        arrays: What is wanted of each cell; [M] each.

    Yields:
        For each item the number of the run of each of its cells, int32 [n], and each of the arrays, [n], in the
        order of the cells.
    """
    counts = np.zeros(items, np.int64)
    for number, _ in _pieces(ptr, item, owner, []):
        counts += np.bincount(number, minlength=items)
    first = 0
    while first < items:
        last = first + max(1, int(np.searchsorted(np.cumsum(counts[first:]), _HELD, side="right")))
        ends = np.cumsum(counts[first:last])
        parts = _ordered(
            _pieces(ptr, item, owner, arrays), [np.dtype(np.int32), *(a.dtype for a in arrays)], first, ends
        )
        for begin, end in zip([0, *ends[:-1]], ends):
            yield tuple(part[begin:end] for part in parts)
        first = last


def _ordered(
    pieces: Iterator[tuple[NDArray[Any], Parts]], dtypes: Sequence[np.dtype[Any]], first: int, ends: NDArray[np.int64]
) -> Parts:
    """What belongs to the items that begin with ``first`` and of which one ends at each of ``ends``."""
    parts: Parts = tuple(np.empty(int(ends[-1]), dtype) for dtype in dtypes)
    free = np.append(0, ends[:-1])  # the next place of each item
    for item, values in pieces:
        chosen = np.flatnonzero((item >= first) & (item < first + len(ends)))
        number = item[chosen] - first
        order = chosen[np.argsort(number, kind="stable")]
        arrived = np.bincount(number, minlength=len(ends))
        begins = np.cumsum(arrived) - arrived
        place = np.arange(len(order)) + np.repeat(free - begins, arrived)
        for part, value in zip(parts, values, strict=True):
            part[place] = value[order]
        free += arrived
    return parts


def _pieces(
    ptr: NDArray[np.int64], item: NDArray[np.integer], owner: NDArray[np.int64], arrays: Sequence[NDArray[Any]]
) -> Iterator[tuple[NDArray[Any], Parts]]:
    """Items, owners and values of the cells, some runs at a time."""
    for first, last in pieces_of_runs(ptr):
        cells = slice(int(ptr[first]), int(ptr[last]))
        whose = np.repeat(owner[first:last].astype(np.int32), np.diff(ptr[first : last + 1]))
        parts = [item[cells], whose, *(array[cells] for array in arrays)]
        if (owner[first:last] < 0).any():
            kept = whose >= 0
            parts = [part[kept] for part in parts]
        yield parts[0], tuple(parts[1:])
