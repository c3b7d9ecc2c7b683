"""Sorted events, wherever they lie, to packed observations; and the parts of several workers as one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from safetensors.numpy import load, save

from gdsfd.cohort.cohort import EventObservations
from gdsfd.cohort.columns.single_precision import LARGEST
from gdsfd.cohort.packing import spread
from gdsfd.cohort.readers.event_binning import EventReducer

__all__ = ["EventFold", "FoldedEvents", "joined_observations"]


@dataclass(frozen=True)
class FoldedEvents:
    """What became of some patients' events.

    Args:
        observations: The packed events.
        broken: Series and value of the first one that is infinite once stored; the events are then not all there.
    """

    observations: EventObservations
    broken: tuple[int, float] | None = None


@dataclass(frozen=True)
class EventFold:
    """Makes observations of events sorted by series, minutes and value.

    Args:
        items, steps, start, bin_minutes: As in :class:`~gdsfd.cohort.readers.event_binning.EventReducer`.
    """

    items: int
    steps: int
    start: float
    bin_minutes: float

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> FoldedEvents:
        """Folds batches of columns ``series``, ``minutes`` and ``value``."""
        reducer = EventReducer(self.items, self.steps, self.start, self.bin_minutes)
        for batch in batches:
            series, minutes, value = (
                batch[name].to_numpy(zero_copy_only=False) for name in ("series", "minutes", "value")
            )
            broken = np.flatnonzero(np.abs(value) > LARGEST)
            if len(broken):
                return FoldedEvents(reducer.finish(), (int(series[broken[0]]), float(value[broken[0]])))
            reducer.add(series, minutes, value)
        return FoldedEvents(reducer.finish())

    def packed(self, folded: FoldedEvents) -> bytes:
        """Arrays one after the other, with their types and sizes."""
        broken = [] if folded.broken is None else [folded.broken]
        series, value = np.array([first for first, _ in broken], np.int64), np.array([last for _, last in broken])
        return bytes(save({**asdict(folded.observations), "broken_series": series, "broken_value": value}))

    def unpacked(self, packed: bytes) -> FoldedEvents:
        """And back."""
        arrays = load(packed)
        series, value = arrays.pop("broken_series"), arrays.pop("broken_value")
        broken = (int(series[0]), float(value[0])) if len(series) else None
        return FoldedEvents(EventObservations(**arrays), broken)


def joined_observations(parts: Sequence[EventObservations]) -> EventObservations:
    """The events of several groups of patients, no patient in two of them, as one, patients ascending.

    Args:
        parts: The groups, in any order.
    """
    if len(parts) == 1:
        return parts[0]
    patient = np.concatenate([part.patient for part in parts])
    order = np.argsort(patient)
    ptr, cells = _ordered([part.ptr for part in parts], order)
    summary_ptr, rows = _ordered([part.summary_ptr for part in parts], order)

    def together(name: str, place: NDArray[np.int64]) -> NDArray[Any]:
        return np.concatenate([getattr(part, name) for part in parts])[place]

    return EventObservations(
        patient=patient[order],
        ptr=ptr,
        step=together("step", cells),
        item=together("item", cells),
        value=together("value", cells),
        summary_ptr=summary_ptr,
        summary_item=together("summary_item", rows),
        summary=together("summary", rows),
    )


def _ordered(
    pointers: Sequence[NDArray[np.int64]], order: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pointers of runs laid in another order, and the place of each of their cells before."""
    lengths = np.concatenate([np.diff(ptr) for ptr in pointers])
    before = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return np.concatenate([[0], np.cumsum(lengths[order])]).astype(np.int64), spread(before, order)[1]
