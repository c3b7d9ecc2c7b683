"""Reading a modality of kind ``events``: many time-stamped values per patient.

DuckDB matches, filters and sorts (out of core where needed); the sorted stream is reduced piece by piece, so memory is
bounded by the result, not by the source.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import ibis
import pyarrow as pa

from gdsfd.cohort.audit import Drop, SourceReceipt
from gdsfd.cohort.cohort import EventObservations
from gdsfd.cohort.cohort_table import CohortRows
from gdsfd.cohort.column_choice import matching_columns
from gdsfd.cohort.event_cells import EventReducer
from gdsfd.cohort.event_scales import item_scales
from gdsfd.cohort.event_values import settle_long, settle_wide
from gdsfd.cohort.fields import ModalityFields
from gdsfd.cohort.item_choice import ItemChoice, choose_items
from gdsfd.cohort.matching import PATIENT, TRAIN, Rows, match_rows
from gdsfd.cohort.sources import Sources, View
from gdsfd.cohort.spec import EventsSpec
from gdsfd.errors import InputError, SchemaError, near_names, shown

__all__ = ["read_events"]

_MAX_STEPS = 512
_PIECE_ROWS = 1 << 20


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
    wide = _wide_columns(modality, view, like)
    columns = wide or _long_columns(modality, view)
    rows = match_rows(modality, view, cohort, sources, columns, None if like is None else like.window)
    if wide is None:
        settle_long(rows, modality)
    else:
        settle_wide(rows, modality, wide)
    grid = _time_grid(rows, modality) if like is None else _Grid(like.window, like.bin_minutes, like.steps)
    choice = choose_items(rows, modality, wide, None if like is None else like.items)
    reducer = EventReducer(
        len(choice.kept), grid.steps, grid.window[0] if grid.window else 0.0, grid.bin_minutes or 1.0
    )
    if choice.kept:
        ordered = _numbered(rows, choice, wide).order_by("patient", "number", "minutes", "value")
        with sources.database.reading(view.label):
            for batch in sources.database.batches(ordered, _PIECE_ROWS):
                reducer.add(
                    *(batch[name].to_numpy(zero_copy_only=False) for name in ("patient", "number", "minutes", "value"))
                )
    observations = reducer.finish()
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


def _long_columns(modality: EventsSpec, view: View) -> list[str]:
    named = {"item": modality.item, "value": modality.value}
    return [view.require(name, f"{field} of modality {modality.name!r}") for field, name in named.items() if name]


def _wide_columns(modality: EventsSpec, view: View, like: ModalityFields | None) -> list[str] | None:
    if modality.values is None:
        return None
    if like is None:
        return matching_columns(view, modality.values, f"values of modality {modality.name!r}")
    absent = [name for name in like.items if name not in view.columns]
    if absent:
        raise SchemaError(
            f"modality {modality.name!r}: {view.label} has no column {absent[0]!r}, which the fitted schema needs."
            f"{near_names(absent[0], view.columns)}"
        )
    return list(like.items)


def _time_grid(rows: Rows, modality: EventsSpec) -> _Grid:
    """Without a window, train rows give it, and other rows outside are dropped."""
    if modality.time is None:
        return _Grid(None, 0.0, 1)
    window = modality.window
    if window is None:
        in_train = ibis.cases((rows.table[TRAIN], rows.table.minutes))
        ends = rows.fetch_row(first=in_train.min(), last=in_train.max())
        first, last = ends["first"], ends["last"]
        start = math.floor(first / modality.bin) * modality.bin
        steps = math.floor((last - start) / modality.bin) + 1
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
        rows.drop(outside, f"outside the {window[0]:g} to {window[1]:g} minutes that train has")
        rows.settle(**{name: rows.table[name] for name in rows.table.columns if not name.startswith("__")})
    return _Grid(window, modality.bin, math.ceil((window[1] - window[0]) / modality.bin))


def _numbered(rows: Rows, choice: ItemChoice, wide: list[str] | None) -> Any:
    """Events of the kept items in long form: patient, item number, minutes, value."""
    table = rows.table
    if wide is None:
        numbers = pa.table(
            {"item": pa.array(choice.kept, pa.string()), "number": pa.array(range(len(choice.kept)), pa.int32())}
        )
        database = rows.sources.database
        stored = database.store(database.new_name("items"), numbers)
        return table.join(stored, "item").select("number", "minutes", "value", patient=PATIENT)
    parts = []
    for number, name in enumerate(choice.kept):
        value = table[f"v{wide.index(name)}"]
        part = table.filter(value.notnull())
        parts.append(part.select("minutes", patient=PATIENT, number=ibis.literal(number, "int32"), value=value))
    return ibis.union(*parts) if len(parts) > 1 else parts[0]


def _account_for_items(rows: Rows, choice: ItemChoice, fitted: bool) -> None:
    if not choice.dropped:
        return
    reason = "item unknown to the fitted schema" if fitted else "item rarer than min_count in train"
    if choice.rows_lost:
        rows.drops.append(Drop(reason, choice.rows_lost, choice.dropped[:5]))
        rows.kept -= choice.rows_lost
    rows.notes.append(f"{len(choice.dropped)} items dropped ({reason}): {shown(choice.dropped, 10)}")
