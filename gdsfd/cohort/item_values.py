"""The values of each item of an event modality, for what is worked out item by item."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from gdsfd.cohort.cohort import EventObservations
from gdsfd.cohort.packing import pieces_of_runs

__all__ = ["values_by_item"]

_HELD = 1 << 24  #: cells that are put in the order of items at a time

Held = tuple[NDArray[np.float32], NDArray[np.int32]]


def values_by_item(
    found: EventObservations, items: int, among: NDArray[np.bool_] | None = None, held: int = _HELD
) -> Iterator[Held]:
    """The cells of one item after the other, each in the order of patients and steps.

    Cells lie by patient. Of many only those of some items are put in order at a time, and all cells are gone through
    again for the next ones, so memory is bounded by what one item has.

    Args:
        found: The events.
        items: Number of items.
        among: Patients whose cells are wanted; bool [N]; default: all.
        held: Cells held at a time; an item with more is held by itself.

    Yields:
        For each item its values, float32 [n], and whose each is, int32 [n].
    """
    counts = np.zeros(items, np.int64)
    for item, _, _ in _pieces(found, among):
        counts += np.bincount(item, minlength=items)
    first = 0
    while first < items:
        last = first + max(1, int(np.searchsorted(np.cumsum(counts[first:]), held, side="right")))
        ends = np.cumsum(counts[first:last])
        values, patients = _ordered(found, among, first, ends)
        for begin, end in zip([0, *ends[:-1]], ends):
            yield values[begin:end], patients[begin:end]
        first = last


def _ordered(found: EventObservations, among: NDArray[np.bool_] | None, first: int, ends: NDArray[np.int64]) -> Held:
    """The cells of the items that begin with ``first`` and of which one ends at each of ``ends``."""
    total = int(ends[-1])
    values, patients = np.empty(total, np.float32), np.empty(total, np.int32)
    free = np.append(0, ends[:-1])  # the next place of each item
    for item, value, patient in _pieces(found, among):
        chosen = np.flatnonzero((item >= first) & (item < first + len(ends)))
        number = item[chosen] - first
        order = np.argsort(number, kind="stable")
        arrived = np.bincount(number, minlength=len(ends))
        begins = np.cumsum(arrived) - arrived
        place = np.arange(len(order)) + np.repeat(free - begins, arrived)
        values[place], patients[place] = value[chosen[order]], patient[chosen[order]]
        free += arrived
    return values, patients


def _pieces(
    found: EventObservations, among: NDArray[np.bool_] | None
) -> Iterator[tuple[NDArray[np.int32], NDArray[np.float32], NDArray[np.int32]]]:
    """Item, value and patient of the cells, some patients at a time."""
    for first, last in pieces_of_runs(found.ptr):
        cells = slice(int(found.ptr[first]), int(found.ptr[last]))
        patient = np.repeat(found.patient[first:last].astype(np.int32), np.diff(found.ptr[first : last + 1]))
        item, value = found.item[cells], found.value[cells]
        if among is not None:
            kept = among[patient]
            item, value, patient = item[kept], value[kept], patient[kept]
        yield item, value, patient
