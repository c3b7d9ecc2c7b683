"""Binning of events: cells (step means), summaries and item scales, a bounded piece of sorted rows at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gdsfd.cohort.cohort import EventObservations
from gdsfd.cohort.columns.scales import numeric_scale
from gdsfd.cohort.item_values import values_by_item
from gdsfd.cohort.packing import pointers
from gdsfd.cohort.schema import SUMMARY_COLUMNS, NumericScale
from gdsfd.cohort.times.steps import step_of
from gdsfd.large_arrays import GrowingArray

__all__ = ["EventReducer", "item_scales"]


@dataclass
class EventReducer:
    """Takes events in pieces and gives packed observations.

    Sums run over sorted values, so the result does not depend on the order of the source or on threads.

    Args:
        items: Number of items.
        steps: Number of time steps.
        start: Minutes at which step 0 begins.
        bin_minutes: Minutes per step.
        folder: Where observations that are too many for memory lie (:mod:`gdsfd.large_arrays`).
    """

    items: int
    steps: int
    start: float
    bin_minutes: float
    folder: Path | None = None

    def __post_init__(self) -> None:
        self._held: list[NDArray[Any]] | None = None  # the last patient's rows, who may go on in the next piece
        step, item, value = (GrowingArray(dtype, folder=self.folder) for dtype in (np.int32, np.int32, np.float32))
        self._cells = _Runs([step, item, value])
        summary_item = GrowingArray(np.int32, folder=self.folder)
        self._summaries = _Runs([summary_item, GrowingArray(np.float32, (len(SUMMARY_COLUMNS),), self.folder)])

    def add(self, series: NDArray[np.int64], minutes: NDArray[np.float64], value: NDArray[np.float64]) -> None:
        """Takes the next piece; the whole stream is sorted by series, minutes, value.

        Args:
            series: Row of the cohort times number of items, plus item number; [n].
            minutes: Time; [n].
            value: Raw value; [n].

        Raises:
            OSError: The disk has no room for the observations.
        """
        piece: list[NDArray[Any]] = [series, minutes, value]
        if self._held is not None:
            piece = [np.concatenate(pair) for pair in zip(self._held, piece)]
        if not len(piece[0]):
            return
        last = piece[0][-1] // self.items * self.items
        whole = int(np.searchsorted(piece[0], last, side="left"))
        if whole:
            self._reduce(*(part[:whole] for part in piece))
        self._held = [part[whole:] for part in piece]

    def finish(self) -> EventObservations:
        """The observations of all patients seen.

        Raises:
            OSError: The disk has no room for them.
        """
        if self._held is not None and len(self._held[0]):
            self._reduce(*self._held)
        self._held = None
        patient, ptr, step, item, value = self._cells.finish()
        _, summary_ptr, summary_item, summary = self._summaries.finish()
        return EventObservations(patient, ptr, step, item, value, summary_ptr, summary_item, summary)

    def _reduce(self, series: NDArray[np.int64], minutes: NDArray[np.float64], value: NDArray[np.float64]) -> None:
        starts = _run_starts(series)
        ends = np.append(starts[1:], len(series)) - 1
        count = ends - starts + 1
        mean = np.add.reduceat(value, starts) / count
        low, high = np.minimum.reduceat(value, starts), np.maximum.reduceat(value, starts)
        columns = (count, mean, low, high, value[starts], value[ends])
        patient, item = np.divmod(series[starts], self.items)
        self._summaries.append(patient, item, np.stack([column.astype(np.float32) for column in columns], axis=1))
        if self.steps == 1:
            self._cells.append(patient, np.zeros(len(starts), np.int32), item, mean)
            return
        step = np.minimum(step_of(minutes, self.start, self.bin_minutes), self.steps - 1)
        keys = series * self.steps + step
        cells = _run_starts(keys)
        mean = np.add.reduceat(value, cells) / np.diff(np.append(cells, len(value)))
        patient, item = np.divmod(series[cells], self.items)
        by_step = (patient * self.steps + step[cells]) * self.items + item
        order = np.argsort(by_step)
        within, item = np.divmod(by_step[order], self.items)
        patient, when = np.divmod(within, self.steps)
        self._cells.append(patient, when, item, mean[order])


class _Runs:
    """Packed runs of patients, each piece of later patients than the one before."""

    def __init__(self, parts: Sequence[GrowingArray]) -> None:
        self._parts = parts
        self._patient: list[NDArray[np.int64]] = []
        self._lengths: list[NDArray[np.int64]] = []

    def append(self, patient: NDArray[np.int64], *parts: NDArray[Any]) -> None:
        owner, ptr = pointers(patient)
        self._patient.append(owner)
        self._lengths.append(np.diff(ptr))
        for array, part in zip(self._parts, parts, strict=True):
            array.append(part)

    def finish(self) -> list[NDArray[Any]]:
        """The patients, their pointers, and the arrays that these point into."""
        none = np.zeros(0, np.int64)
        ptr = np.cumsum(np.concatenate([np.zeros(1, np.int64), *self._lengths]))
        return [np.concatenate([none, *self._patient]), ptr, *(array.finish() for array in self._parts)]


def item_scales(observations: EventObservations, train: NDArray[np.bool_], items: int) -> tuple[NumericScale, ...]:
    """One scale per item, from the cells of train patients (each cell is the mean of a patient's values in a step).

    Cells rather than raw values: they are what encoders read, and they are at hand, so the statistics need no second
    pass over the source.

    Args:
        observations: The events.
        train: Whether each patient trains; [N].
        items: Number of items.
    """
    return tuple(numeric_scale(values, patients) for values, patients in values_by_item(observations, items, train))


def _run_starts(keys: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))
