"""Reading a modality of kind ``events``: many time-stamped values per patient.

DuckDB matches, filters and sorts (out of core where needed); the sorted stream is reduced piece by piece, so memory is
bounded by the result, not by the source.
"""

from __future__ import annotations

import math
from typing import Any

import ibis
import numpy as np
import pyarrow as pa

from gdsfd.cohort.audit import Drop, SourceReceipt
from gdsfd.cohort.cohort import EventObservations
from gdsfd.cohort.cohort_table import CohortRows
from gdsfd.cohort.column_choice import matching_columns
from gdsfd.cohort.event_cells import EventReducer
from gdsfd.cohort.event_scales import item_scales
from gdsfd.cohort.fields import ModalityFields
from gdsfd.cohort.matching import ID, MINUTES, PATIENT, TRAIN, Rows, explain_empty, match_rows
from gdsfd.cohort.sources import Sources, View
from gdsfd.cohort.spec import EventsSpec
from gdsfd.cohort.values import as_number, as_text, is_declared_missing
from gdsfd.errors import InputError, SchemaError, near_names, shown

__all__ = ["read_events"]

_MAX_STEPS = 512
_PIECE_ROWS = 1 << 20


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
    rows = match_rows(modality, view, cohort, sources, None if like is None else like.window)
    values = _wide_columns(modality, view, like)
    cells = _cells(rows, modality, values)
    window, bin_minutes, steps = _time_grid(rows, modality, like)
    items, rare, rare_rows = _choose_items(rows, modality, cells, like)
    numbers = pa.table({"item": pa.array(items, pa.string()), "number": pa.array(range(len(items)), pa.int32())})
    numbered = sources.store(f"items of {modality.name}", numbers)
    events = _long(rows, cells)
    matched = events.join(numbered, "item").select("patient", "number", "minutes", "value")
    ordered = matched.order_by("patient", "number", "minutes", "value")
    reducer = EventReducer(len(items), steps, window[0] if window else 0.0, bin_minutes or 1.0)
    with sources.reading(view.label):
        for batch in sources.batches(ordered, _PIECE_ROWS):
            reducer.add(
                *(batch[name].to_numpy(zero_copy_only=False) for name in ("patient", "number", "minutes", "value"))
            )
    observations = reducer.finish()
    reason = "item unknown to the fitted schema" if like else "item rarer than min_count in train"
    extra = [Drop(reason, rare_rows, rare[:5])] if rare_rows else []
    receipt = rows.receipt(patients=len(observations.patient), extra=extra)
    receipt.rows_kept -= rare_rows
    if rare:
        receipt.notes.append(f"{len(rare)} items dropped ({reason}): {shown(rare, 10)}")
    if like is None and not len(observations.patient):
        raise explain_empty(receipt)
    fields = like or ModalityFields(
        modality.name,
        "events",
        items=tuple(items),
        steps=steps,
        bin_minutes=bin_minutes,
        window=window,
        scales=item_scales(observations, cohort.train, len(items)),
    )
    receipt.fitted = {"items": len(fields.items), "steps": fields.steps}
    return observations, fields, receipt


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


def _cells(rows: Rows, modality: EventsSpec, values: list[str] | None) -> dict[str, Any]:
    """The value expression of each wide column (long form: of the value column, under ``""``); adds the drop reasons."""
    label = f"modality {modality.name!r}"
    if values is None:
        item = rows.table[rows.view.require(modality.item or "", f"item of {label}")]
        rows.drop(item.isnull(), f"blank {modality.item}")
        if modality.value is None:
            return {"": ibis.literal(1.0)}
        raw = {"": rows.table[rows.view.require(modality.value, f"value of {label}")]}
        rows.drop(raw[""].isnull(), f"blank {modality.value}")
        rows.drop(is_declared_missing(raw[""], modality.missing), f"{modality.value} is declared missing")
    else:
        raw = {name: rows.table[name] for name in values}
    read: dict[str, Any] = {}
    bad = {}
    for name, column in raw.items():
        declared = is_declared_missing(column, modality.missing)
        number = as_number(column)
        bad[name] = column.notnull() & ~declared & number.isnull()
        read[name] = ibis.cases((~declared, number))
    _check_numbers(rows, modality, raw, bad)
    if values is None:
        rows.drop(bad[""], f"{modality.value} is not a number")
    else:
        none = ibis.literal(True)
        for number in read.values():
            none = none & number.isnull()
        rows.drop(none, "no measured value")
    return read


def _check_numbers(rows: Rows, modality: EventsSpec, raw: dict[str, Any], bad: dict[str, Any]) -> None:
    kept = rows.reason == -1
    counts = rows.fetch(
        rows.table.aggregate(**{f"b{k}": (bad[name] & kept).sum() for k, name in enumerate(raw)})
    ).to_pylist()[0]
    for k, name in enumerate(raw):
        count = int(counts[f"b{k}"] or 0)
        column = name or modality.value
        if count and modality.invalid == "error":
            wrong = rows.fetch(
                rows.table.filter(bad[name] & kept)
                .select(cell=as_text(raw[name]), patient=ID)
                .distinct()
                .order_by("patient", "cell")
                .limit(5)
            ).to_pylist()
            listed = ", ".join(f"{row['cell']!r} (id {row['patient']})" for row in wrong)
            raise InputError(
                f"modality {modality.name!r}: column {column!r} of {rows.view.label} has {count} values that are not numbers: {listed}. "
                "Add them to missing, leave the rows out with where, derive a number, or set invalid = 'missing'"
            )
        if count:
            rows.notes.append(f"column {column!r}: {count} values are not numbers and were read as missing")


def _time_grid(
    rows: Rows, modality: EventsSpec, like: ModalityFields | None
) -> tuple[tuple[float, float] | None, float, int]:
    """Window, minutes per step and number of steps; without a window the train rows give it."""
    if like is not None:
        return like.window, like.bin_minutes, like.steps
    if modality.time is None:
        return None, 0.0, 1
    window = modality.window
    if window is None:
        kept = rows.kept
        ends = rows.fetch(
            kept.filter(kept[TRAIN]).aggregate(first=kept[MINUTES].min(), last=kept[MINUTES].max())
        ).to_pylist()[0]
        first, last = ends["first"] or 0.0, ends["last"] or 0.0
        start = math.floor(first / modality.bin) * modality.bin
        steps = math.floor((last - start) / modality.bin) + 1
        if steps > _MAX_STEPS:
            raise InputError(
                f"modality {modality.name!r}: events of train span {first:g} to {last:g} minutes, {steps} steps of {modality.bin:g}; "
                f"at most {_MAX_STEPS} are taken without a window. Set window = [start, end] in minutes, or a larger bin"
            )
        window = (float(start), float(start + steps * modality.bin))
        rows.drop(
            (rows.table[MINUTES] < window[0]) | (rows.table[MINUTES] >= window[1]), "outside the window that train has"
        )
    return window, modality.bin, math.ceil((window[1] - window[0]) / modality.bin)


def _choose_items(
    rows: Rows, modality: EventsSpec, cells: dict[str, Any], like: ModalityFields | None
) -> tuple[list[str], list[str], int]:
    """Items kept (by name), items dropped (most frequent first), and the rows that only those held."""
    kept = rows.kept
    if "" in cells:
        item = as_text(kept[modality.item])
        counted = rows.fetch(kept.group_by(item=item).agg(train=kept[TRAIN].sum(), rows=kept.count())).to_pylist()
        train = {row["item"]: int(row["train"] or 0) for row in counted}
        total = {row["item"]: int(row["rows"]) for row in counted}
        items = (
            list(like.items) if like else sorted(name for name, count in train.items() if count >= modality.min_count)
        )
        rare = sorted(set(train) - set(items), key=lambda name: (-total[name], name))
        return items, rare, sum(total[name] for name in rare)
    counts = rows.fetch(
        rows.table.aggregate(
            **{
                f"c{k}": (cell.notnull() & rows.table[TRAIN] & (rows.reason == -1)).sum()
                for k, cell in enumerate(cells.values())
            }
        )
    ).to_pylist()[0]
    train = {name: int(counts[f"c{k}"] or 0) for k, name in enumerate(cells)}
    items = list(like.items) if like else [name for name, count in train.items() if count >= modality.min_count]
    rare = [name for name in cells if name not in items]
    none = ibis.literal(True)
    for name in items:
        none = none & cells[name].isnull()
    only_rare = rows.fetch(rows.table.filter((rows.reason == -1) & none).count()).as_py() if rare else 0
    for name in rare:
        del cells[name]
    return items, rare, int(only_rare)


def _long(rows: Rows, cells: dict[str, Any]) -> Any:
    """Kept events in long form: patient, item, minutes, value."""
    table = rows.table.mutate(__reason=rows.reason)
    minutes = table[MINUTES] if rows.modality.time is not None else ibis.literal(0.0)
    if "" in cells:
        picked = rows.table.select(
            patient=PATIENT,
            item=as_text(rows.table[rows.modality.item]),  # type: ignore[union-attr]
            minutes=rows.table[MINUTES] if rows.modality.time is not None else ibis.literal(0.0),
            value=cells[""],
            reason=rows.reason,
        )
        return picked.filter(picked.reason == -1).drop("reason")
    del table, minutes
    wide = rows.table.select(
        patient=PATIENT,
        minutes=rows.table[MINUTES] if rows.modality.time is not None else ibis.literal(0.0),
        reason=rows.reason,
        **{f"v{k}": cell for k, cell in enumerate(cells.values())},
    )
    wide = wide.filter(wide.reason == -1)
    parts = [
        wide.filter(wide[f"v{k}"].notnull()).select(
            "patient", item=ibis.literal(name), minutes="minutes", value=wide[f"v{k}"]
        )
        for k, name in enumerate(cells)
    ]
    return ibis.union(*parts) if len(parts) > 1 else parts[0]
