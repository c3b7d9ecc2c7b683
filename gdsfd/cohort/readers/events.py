"""Reading a modality of kind ``events``: many time-stamped values per patient.

DuckDB matches, filters and sorts (out of core where needed); the sorted stream is reduced piece by piece, so memory is
bounded by the result, not by the source.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import ibis
import numpy as np
import pyarrow as pa

from gdsfd.cohort.cohort import EventObservations
from gdsfd.cohort.columns.column_choice import matching_columns
from gdsfd.cohort.columns.single_precision import check_stored
from gdsfd.cohort.columns.unwanted_columns import known_as_row_number
from gdsfd.cohort.columns.wide_rows import wide_rows
from gdsfd.cohort.patients.cohort_rows import CohortRows
from gdsfd.cohort.readers.event_binning import item_scales
from gdsfd.cohort.readers.event_fold import EventFold, FoldedEvents, joined_observations
from gdsfd.cohort.readers.event_values import materialize_long, materialize_wide
from gdsfd.cohort.readers.item_choice import ItemChoice, choose_items
from gdsfd.cohort.readers.matched_rows import PATIENT, TRAIN, MatchedRows, match_rows
from gdsfd.cohort.readers.numbering import number_texts
from gdsfd.cohort.receipt.receipt import Drop, Finding, SourceReceipt
from gdsfd.cohort.schema import ModalityFields
from gdsfd.cohort.sources.internal_names import PREFIX
from gdsfd.cohort.sources.sources import Sources, View
from gdsfd.cohort.spec import EventsSpec
from gdsfd.cohort.times.findings import find_one_step
from gdsfd.cohort.times.steps import number_of_steps, step_of
from gdsfd.errors import InputError, SchemaError, near_names, shown

__all__ = ["read_events"]

_MAX_STEPS = 512


@dataclass(frozen=True)
class _Grid:
    """The time grid: window (minutes), minutes per step, number of steps."""

    window: tuple[float, float] | None
    bin_minutes: float
    steps: int


def read_events(
    modality: EventsSpec, view: View, cohort: CohortRows, sources: Sources, like: ModalityFields | None = None
) -> tuple[EventObservations, ModalityFields, SourceReceipt]:
    """Reads one event modality.

    Args:
        modality: The spec's entry.
        view: Its source.
        cohort: The patients.
        sources: Where tables are opened.
        like: Fitted items, window and scales to use instead of fitting; other items are dropped and counted.

    Raises:
        InputError: A missing column, text among the values, an unreadable time, too many steps, nothing left.
        SchemaError: A column of ``like`` is missing (wide form).
    """
    values: Any = None
    window = None if like is None else like.window
    fitted = None if like is None else like.items
    if modality.values is not None:
        names = _wide_columns(modality, view, cohort, sources, like)
        beside = wide_rows(modality, view, cohort, sources, window=window)
        rows, values = beside.rows, materialize_wide(beside, modality, names, like is None)
    else:
        item = view.require(modality.item or "", f"item of modality {modality.name!r}")
        if modality.value is not None:
            view.require(modality.value, f"value of modality {modality.name!r}")
        numbered, names = number_texts(view, item, sources, fitted or (), f"item of modality {modality.name!r}")
        rows = match_rows(modality, view, cohort, sources, source=numbered, window=window)
        materialize_long(rows, modality, names, like is None)
    grid = _time_grid(rows, modality) if like is None else _Grid(like.window, like.bin_minutes, like.steps)
    choice = choose_items(rows, modality, names, values, fitted)
    fold = EventFold(len(choice.kept), grid.steps, grid.window[0] if grid.window else 0.0, grid.bin_minutes)
    parts = [fold([])]
    if choice.kept:
        with rows.database.reading(view.label):
            parts = rows.database.fold(
                _series(rows, choice, values), ("series", "minutes", "value"), len(choice.kept), fold
            )
    _check_stored(parts, rows, choice)
    with rows.database.reading(view.label):
        observations = joined_observations([part.observations for part in parts], rows.database.folder)
    del parts
    rows.findings += find_one_step(modality, observations.step, grid.steps, len(observations.patient))
    _account_for_items(rows, choice, fitted=like is not None)
    receipt = rows.receipt(len(observations.patient), must_have_rows=like is None)
    fields = like or ModalityFields(
        modality.name,
        "events",
        items=tuple(choice.kept),
        steps=grid.steps,
        bin_minutes=grid.bin_minutes,
        window=grid.window,
        scales=item_scales(observations, cohort.train, len(choice.kept)),
    )
    receipt.fitted = {"items": len(fields.items), "steps": fields.steps}
    return observations, fields, receipt


def _wide_columns(
    modality: EventsSpec, view: View, cohort: CohortRows, sources: Sources, like: ModalityFields | None
) -> list[str]:
    if like is None:
        field, own = f"values of modality {modality.name!r}", (modality.id, modality.time)
        choice = matching_columns(view, modality.values or [], field, own, cohort.own_columns)
        names = [name for name in choice.columns if name in choice.by_name or not known_as_row_number(name)]
        gone = [*choice.withheld, *(name for name in choice.columns if name not in names)]
        if gone:
            text = f"{shown(gone, 10)} match a pattern of values but are no measurements, and were left out"
            sources.findings.append(Finding("columns", modality.name, text))
        if not names:
            raise InputError(f"{field}: no column of {view.label} is left to take")
        return names
    absent = [name for name in like.items if name not in view.columns]
    if absent:
        raise SchemaError(
            f"modality {modality.name!r}: {view.label} has no column {absent[0]!r}, which the fitted schema needs."
            f"{near_names(absent[0], view.columns)}"
        )
    return list(like.items)


def _time_grid(rows: MatchedRows, modality: EventsSpec) -> _Grid:
    """Without a window, train rows give it, and other rows outside are dropped."""
    if modality.time is None:
        return _Grid(None, 0.0, 1)
    window = modality.window
    if window is None:
        in_train = ibis.cases((rows.table[TRAIN], rows.table.minutes))
        ends = rows.fetch_row(rows.table, first=in_train.min(), last=in_train.max())
        first, last = ends["first"], ends["last"]
        before, steps = (int(step) for step in step_of(np.array([first, last]), 0.0, modality.bin))
        start, steps = before * modality.bin, steps - before + 1
        if steps > _MAX_STEPS:
            raise InputError(
                f"modality {modality.name!r}: train events of {rows.view.label} span {first:g} to {last:g} minutes, "
                f"{steps} "
                f"steps of {modality.bin:g}; at most {_MAX_STEPS} are taken without a window. Set window = [start, "
                "end] in "
                "minutes, or a larger bin"
            )
        window = (float(start), float(start + steps * modality.bin))
        outside = (rows.table.minutes < window[0]) | (rows.table.minutes >= window[1])
        rows.drop_where(outside, f"outside the {window[0]:g} to {window[1]:g} minutes that train has")
        rows.materialize({name: rows.table[name] for name in rows.table.columns if not name.startswith(PREFIX)})
    return _Grid(window, modality.bin, number_of_steps(*window, modality.bin))


def _series(rows: MatchedRows, choice: ItemChoice, values: Any) -> Any:
    """Events of the kept items: series (patient times items plus item), minutes, value."""
    table = rows.table if values is None else values.join(rows.table, "row")
    if choice.read_as == list(range(len(choice.kept))) and not choice.rows_lost and not choice.dropped:
        return table.select("minutes", "value", series=table[PATIENT].cast("int64") * len(choice.kept) + table.number)
    numbers = pa.table(
        {"number": pa.array(choice.read_as, pa.int32()), "kept_as": pa.array(range(len(choice.kept)), pa.int32())}
    )
    stored = rows.database.store(rows.database.new_name("items"), numbers)
    joined = table.join(stored, "number")
    return joined.select("minutes", "value", series=joined[PATIENT].cast("int64") * len(choice.kept) + joined.kept_as)


def _check_stored(parts: Sequence[FoldedEvents], rows: MatchedRows, choice: ItemChoice) -> None:
    """Raises an InputError for values that are infinite in the type that is stored; means of others are finite."""
    broken = [part.broken for part in parts if part.broken is not None]
    if broken:
        series, value = min(broken)
        patient, item = divmod(series, len(choice.kept))
        what = f"modality {rows.modality.name!r}: item {choice.kept[item]!r} of {rows.view.label}"
        check_stored(np.array([value]), what, lambda _: rows.cohort.id[patient])


def _account_for_items(rows: MatchedRows, choice: ItemChoice, fitted: bool) -> None:
    if not choice.dropped:
        return
    reason = "item unknown to the fitted schema" if fitted else "item rarer than min_count in train"
    if choice.rows_lost:
        rows.drops.append(Drop(reason, choice.rows_lost, choice.dropped[:5]))
        rows.kept -= choice.rows_lost
    rows.notes.append(f"{len(choice.dropped)} items dropped ({reason}): {shown(choice.dropped, 10)}")
