"""The values of an event modality: long or wide columns read as numbers, with what is dropped on the way."""

from __future__ import annotations

from typing import Any

import ibis

from gdsfd.cohort.matching import ID, MINUTES, Rows
from gdsfd.cohort.numbering import NUMBER
from gdsfd.cohort.spec import EventsSpec
from gdsfd.cohort.values import as_number, as_text, is_declared_missing
from gdsfd.errors import InputError, cell_text, cut_text

__all__ = ["settle_long", "settle_wide"]


def settle_long(rows: Rows, modality: EventsSpec) -> None:
    """Reduces rows of the long form to ``number`` (of the item), ``minutes`` and ``value``.

    Args:
        rows: The matched rows, with the item's :data:`~gdsfd.cohort.numbering.NUMBER`.
        modality: The spec's entry.

    Raises:
        InputError: Text among the values.
    """
    table = rows.table
    rows.drop(table[NUMBER].isnull(), f"blank {modality.item}")
    if modality.value is None:
        rows.settle({"number": table[NUMBER], "minutes": _minutes(rows), "value": ibis.literal(1.0)})
        return
    raw = table[modality.value]
    value = as_number(raw)
    rows.drop(raw.isnull(), f"blank {modality.value}")
    if modality.missing:
        rows.drop(is_declared_missing(raw, modality.missing), f"{modality.value} is declared missing")
    measured = rows.so_far
    not_a_number = f"{modality.value} is not a number"
    rows.drop(value.isnull(), not_a_number)
    dropped = rows.settle({"number": table[NUMBER], "minutes": _minutes(rows), "value": value})
    if dropped.get(not_a_number):
        bad = measured.filter(as_number(measured[modality.value]).isnull())
        _judge_invalid(rows, modality, bad, modality.value, dropped[not_a_number])


def settle_wide(rows: Rows, modality: EventsSpec, columns: list[str]) -> None:
    """Reduces rows of the wide form to ``minutes`` and one number per column, ``v0, v1, ...``.

    Args:
        rows: The matched rows.
        modality: The spec's entry.
        columns: The columns of values.

    Raises:
        InputError: Text among the values.
    """
    table = rows.so_far
    bad = {}
    for name in columns:
        if not table[name].type().is_integer():
            declared = is_declared_missing(table[name], modality.missing)
            bad[name] = table[name].notnull() & ~declared & as_number(table[name]).isnull()
    names = list(bad)
    counts = rows.fetch_row(table, **{f"b{k}": bad[name].sum() for k, name in enumerate(names)})
    for k, name in enumerate(names):
        if counts[f"b{k}"]:
            _judge_invalid(rows, modality, table.filter(bad[name]), name, int(counts[f"b{k}"]))
    table = rows.table
    values = {
        f"v{k}": ibis.cases((~is_declared_missing(table[name], modality.missing), as_number(table[name])))
        for k, name in enumerate(columns)
    }
    none = ibis.literal(True)
    for value in values.values():
        none = none & value.isnull()
    rows.drop(none, "no measured value")
    rows.settle({"minutes": _minutes(rows), **values})


def _minutes(rows: Rows) -> Any:
    return rows.table[MINUTES] if rows.modality.time is not None else ibis.literal(0.0)


def _judge_invalid(rows: Rows, modality: EventsSpec, bad: Any, column: str, count: int) -> None:
    """An error, or a note where the spec says ``invalid = "missing"``."""
    if modality.invalid == "missing":
        rows.notes.append(f"column {column!r}: {count} values are not numbers and were read as missing")
        return
    cells = bad.select(cell=as_text(bad[column]), patient=ID).distinct()
    wrong = rows.fetch(cells.order_by("patient", "cell").limit(5)).to_pylist()
    listed = ", ".join(f"{cell_text(row['cell'])} (id {cut_text(row['patient'])})" for row in wrong)
    raise InputError(
        f"modality {modality.name!r}: column {column!r} of {rows.view.label} has {count} values that are not numbers: "
        f"{listed}. Add them to missing, leave the rows out with where, derive a number, or set invalid = 'missing'"
    )
