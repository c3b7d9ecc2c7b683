"""Kind ``events``: many time-stamped values per patient, packed as cells of time steps and as summaries of items."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gdsfd.cohort.checks.candidates import MEASURED, Flags, Ranked, flag_all
from gdsfd.cohort.cohort import EventObservations
from gdsfd.cohort.item_values import by_item, values_by_item
from gdsfd.cohort.modality_kind import MODALITY_KINDS, Arrays, Block, ModalityKind, Range, Values
from gdsfd.cohort.packing import runs_for
from gdsfd.cohort.schema import SUMMARY_COLUMNS, ModalityFields

__all__ = ["EVENTS"]

#: Summaries that are looked at for leaks.
_SUMMARIES = ("mean", "last")
_MEAN = SUMMARY_COLUMNS.index("mean")


def _flatten(fields: ModalityFields, arrays: Arrays, edges: NDArray[np.int64]) -> Iterator[Block]:
    """Count, mean, min, max, first and last value per item; the count is 0, the rest NaN where nothing was measured."""
    width, count = len(SUMMARY_COLUMNS), SUMMARY_COLUMNS.index("count")
    cells, patients = runs_for(arrays["summary_ptr"], edges)
    block = np.full((len(edges), len(fields.items), width), np.nan, dtype=np.float32)
    block[:, :, count] = 0
    block[patients, arrays["summary_item"][cells]] = arrays["summary"][cells]
    names = [f"{fields.name}.{item}.{column}" for item in fields.items for column in SUMMARY_COLUMNS]
    yield block.reshape(len(edges), len(fields.items) * width), names


def _needs(needs: Any, modality: Any, like: ModalityFields | None) -> None:
    needs.add(modality.item, modality.value)
    if modality.values is not None:
        needs.add_choice(modality.values)
        if like is not None:
            needs.add(*like.items)


def _describe(fields: ModalityFields) -> str:
    steps = f"{fields.steps:,} steps of {fields.bin_minutes:g} min" if fields.bin_minutes else "no time"
    return f"{len(fields.items):,} items, {steps}"


def _column(fields: ModalityFields, arrays: Arrays, column: str) -> NDArray[Any]:
    """Means of an item; NaN where it was not measured."""
    total = len(arrays["summary_ptr"]) - 1
    value = np.full(total, np.nan)
    runs = np.repeat(np.arange(total), np.diff(arrays["summary_ptr"]))
    mine = arrays["summary_item"] == fields.items.index(column)
    value[runs[mine]] = arrays["summary"][:, _MEAN][mine]
    return value


def _content(fields: ModalityFields, arrays: Arrays, total: int) -> NDArray[np.float64]:
    """Means of the items; NaN where one was not measured."""
    content = np.full((total, len(fields.items)), np.nan)
    runs = np.repeat(np.arange(total), np.diff(arrays["summary_ptr"]))
    content[runs, arrays["summary_item"]] = arrays["summary"][:, _MEAN].astype(np.float64)
    return content


def _candidates(fields: ModalityFields, found: EventObservations, owner: NDArray[np.int64]) -> Iterator[Ranked | Flags]:
    there = owner >= 0
    yield Ranked(fields.name, "number of values", np.diff(found.ptr)[there], owner[there])
    if fields.steps > 1:  # no run is empty
        yield Ranked(fields.name, "step of the last value", found.step[found.ptr[1:] - 1][there], owner[there])
    columns = [found.summary[:, SUMMARY_COLUMNS.index(summary)] for summary in _SUMMARIES]
    parts = by_item(found.summary_ptr, found.summary_item, owner, len(fields.items), columns)
    for name, (patient, *values) in zip(fields.items, parts, strict=True):
        where = f"{fields.name}.{name}"
        for summary, value in zip(_SUMMARIES, values):
            yield Ranked(where, summary, value, patient)
        yield flag_all(where, MEASURED, patient)


def _ranges(fields: ModalityFields, found: EventObservations) -> Iterator[Range]:
    for position, (values, _) in enumerate(values_by_item(found, len(fields.items))):
        yield fields.items[position], values[:, None], fields.scales[position : position + 1]


EVENTS = ModalityKind(
    name="events",
    spec="gdsfd.cohort.spec:EventsSpec",
    reader="gdsfd.cohort.readers.events:read_events",
    rows={},
    runs={
        "run_ptr": {
            "step": Values(below=lambda fields: fields.steps),
            "item": Values(below=lambda fields: len(fields.items)),
            "value": Values(),
        },
        "summary_ptr": {
            "summary_item": Values(below=lambda fields: len(fields.items)),
            "summary": Values(lambda fields: (len(SUMMARY_COLUMNS),)),
        },
    },
    flatten=_flatten,
    describe=_describe,
    needs=_needs,
    columns=lambda fields: fields.items,
    column=_column,
    content=_content,
    cells=lambda fields: (list(fields.items), []),
    candidates=_candidates,
    ranges=_ranges,
)
MODALITY_KINDS.register("events")(EVENTS)
