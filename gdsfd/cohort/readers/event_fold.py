"""Sorted events, wherever they lie, to packed observations; and the parts of several workers as one."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from safetensors.numpy import save

from gdsfd.cohort.cohort import EventObservations
from gdsfd.cohort.columns.single_precision import LARGEST
from gdsfd.cohort.packing import spread
from gdsfd.cohort.readers.event_binning import EventReducer
from gdsfd.large_arrays import zeros

__all__ = ["EventFold", "FoldedEvents", "joined_observations"]

#: Types of arrays by their names in safetensors.
_DTYPES: dict[str, np.dtype[Any]] = {
    "I32": np.dtype("<i4"),
    "I64": np.dtype("<i8"),
    "F32": np.dtype("<f4"),
    "F64": np.dtype("<f8"),
}


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

    def __call__(self, batches: Iterable[pa.RecordBatch], folder: Path | None = None) -> FoldedEvents:
        """Folds batches of columns ``series``, ``minutes`` and ``value``.

        Args:
            batches: The rows.
            folder: As in :class:`~gdsfd.cohort.readers.event_binning.EventReducer`.
        """
        reducer = EventReducer(self.items, self.steps, self.start, self.bin_minutes, folder)
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

    def unpacked(self, packed: bytes | bytearray | memoryview) -> FoldedEvents:
        """And back; the arrays are views of the bytes, so that many parts are not held twice."""
        arrays = _views(packed)
        series, value = arrays.pop("broken_series"), arrays.pop("broken_value")
        broken = (int(series[0]), float(value[0])) if len(series) else None
        return FoldedEvents(EventObservations(**arrays), broken)


def joined_observations(parts: Sequence[EventObservations], folder: Path | None = None) -> EventObservations:
    """The events of several groups of patients, no patient in two of them, as one, patients ascending.

    Args:
        parts: The groups, in any order.
        folder: Where what is too large for memory lies (:mod:`gdsfd.large_arrays`).

    Raises:
        OSError: The disk has no room for them.
    """
    if len(parts) == 1:
        return parts[0]
    patient = np.concatenate([part.patient for part in parts])
    order = np.argsort(patient)
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    ranks = np.split(rank, np.cumsum([len(part.patient) for part in parts])[:-1])
    ptr, cells = _joined(parts, ranks, "ptr", ("step", "item", "value"), folder)
    summary_ptr, rows = _joined(parts, ranks, "summary_ptr", ("summary_item", "summary"), folder)
    return EventObservations(patient=patient[order], ptr=ptr, **cells, summary_ptr=summary_ptr, **rows)


def _joined(
    parts: Sequence[EventObservations],
    ranks: Sequence[NDArray[np.int64]],
    pointer: str,
    packed: Sequence[str],
    folder: Path | None,
) -> tuple[NDArray[np.int64], dict[str, NDArray[Any]]]:
    """Pointers of the runs in the order of their ranks, and the arrays that these point into, filled part by part."""
    lengths = np.zeros(sum(map(len, ranks)), np.int64)
    for part, rank in zip(parts, ranks):
        lengths[rank] = np.diff(getattr(part, pointer))
    ptr = np.append(0, np.cumsum(lengths))
    whole = {}
    for name in packed:
        like = getattr(parts[0], name)
        whole[name] = zeros((int(ptr[-1]), *like.shape[1:]), like.dtype, folder)
    for part, rank in zip(parts, ranks):
        place = spread(ptr, rank)[1]
        for name, array in whole.items():
            array[place] = getattr(part, name)
    return ptr, whole


def _views(packed: bytes | bytearray | memoryview) -> dict[str, NDArray[Any]]:
    """The arrays of safetensors' format, without a copy: a length, a header in JSON, and their bytes."""
    content = memoryview(packed)
    begin = 8 + int.from_bytes(content[:8], "little")
    arrays = {}
    for name, told in json.loads(bytes(content[8:begin])).items():
        first, last = told["data_offsets"]
        dtype = _DTYPES[told["dtype"]]
        arrays[name] = np.frombuffer(content[begin + first : begin + last], dtype).reshape(told["shape"])
    return arrays
