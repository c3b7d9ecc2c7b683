"""Binning of events: cells (step means), summaries and item scales, a bounded piece of sorted rows at a time."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gdsfd.cohort.cohort import EventObservations
from gdsfd.cohort.columns.scales import numeric_scale
from gdsfd.cohort.packing import pointers
from gdsfd.cohort.schema import NumericScale

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
    """

    items: int
    steps: int
    start: float
    bin_minutes: float
    _held: list[NDArray[Any]] | None = None
    _cells: list[tuple[NDArray[Any], ...]] = field(default_factory=list)
    _summaries: list[tuple[NDArray[Any], ...]] = field(default_factory=list)

    def add(self, series: NDArray[np.int64], minutes: NDArray[np.float64], value: NDArray[np.float64]) -> None:
        """Takes the next piece; the whole stream is sorted by series, minutes, value.

        Args:
            series: Row of the cohort times number of items, plus item number; [n].
            minutes: Time; [n].
            value: Raw value; [n].
        """
        piece: list[NDArray[Any]] = [series, minutes, value]
        if self._held is not None:
            piece = [np.concatenate(pair) for pair in zip(self._held, piece)]
        if not len(piece[0]):
            return
        last = piece[0][-1] // self.items * self.items  # the last patient may go on in the next piece
        whole = int(np.searchsorted(piece[0], last, side="left"))
        if whole:
            self._reduce(*(part[:whole] for part in piece))
        self._held = [part[whole:] for part in piece]

    def finish(self) -> EventObservations:
        """The observations of all patients seen."""
        if self._held is not None and len(self._held[0]):
            self._reduce(*self._held)
        self._held = None
        owner, step, item, value = _joined(self._cells, (np.int32, np.int32, np.int32, np.float32))
        self._cells = []
        patient, ptr = pointers(owner)
        owner, summary_item, *columns = _joined(self._summaries, (np.int32, np.int32, *[np.float32] * 6))
        self._summaries = []
        _, summary_ptr = pointers(owner)
        return EventObservations(patient, ptr, step, item, value, summary_ptr, summary_item, np.stack(columns, axis=1))

    def _reduce(self, series: NDArray[np.int64], minutes: NDArray[np.float64], value: NDArray[np.float64]) -> None:
        starts = _run_starts(series)
        ends = np.append(starts[1:], len(series)) - 1
        count = ends - starts + 1
        mean = np.add.reduceat(value, starts) / count
        low, high = np.minimum.reduceat(value, starts), np.maximum.reduceat(value, starts)
        columns = (count, mean, low, high, value[starts], value[ends])
        patient, item = (part.astype(np.int32) for part in np.divmod(series[starts], self.items))
        self._summaries.append((patient, item, *(column.astype(np.float32) for column in columns)))
        if self.steps == 1:
            self._cells.append((patient, np.zeros(len(starts), np.int32), item, mean.astype(np.float32)))
            return
        step = np.minimum((minutes - self.start) // self.bin_minutes, self.steps - 1).astype(np.int64)
        keys = series * self.steps + step
        cells = _run_starts(keys)
        mean = np.add.reduceat(value, cells) / np.diff(np.append(cells, len(value)))
        patient, item = np.divmod(series[cells], self.items)
        by_step = (patient * self.steps + step[cells]) * self.items + item
        order = np.argsort(by_step)
        within, item = np.divmod(by_step[order], self.items)
        patient, when = np.divmod(within, self.steps)
        self._cells.append(
            (patient.astype(np.int32), when.astype(np.int32), item.astype(np.int32), mean[order].astype(np.float32))
        )


def item_scales(observations: EventObservations, train: NDArray[np.bool_], items: int) -> tuple[NumericScale, ...]:
    """One scale per item, from the cells of train patients (each cell is the mean of a patient's values in a step).

    Cells rather than raw values: they are what encoders read, and they are at hand, so the statistics need no second
    pass over the source.

    Args:
        observations: The events.
        train: Whether each patient trains; [N].
        items: Number of items.
    """
    in_train = np.repeat(train[observations.patient], np.diff(observations.ptr))
    item, value = observations.item[in_train], observations.value[in_train]
    patient = np.repeat(observations.patient, np.diff(observations.ptr))[in_train]
    order = np.argsort(item, kind="stable")
    bounds = np.searchsorted(item[order], np.arange(items + 1))
    value, patient = value[order], patient[order]
    pieces = [slice(bounds[k], bounds[k + 1]) for k in range(items)]
    return tuple(numeric_scale(value[piece], patient[piece]) for piece in pieces)


def _run_starts(keys: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))


def _joined(parts: list[tuple[NDArray[Any], ...]], dtypes: tuple[Any, ...]) -> list[NDArray[Any]]:
    if not parts:
        return [np.zeros(0, dtype=dtype) for dtype in dtypes]
    return [np.concatenate([part[k] for part in parts]).astype(dtype, copy=False) for k, dtype in enumerate(dtypes)]
