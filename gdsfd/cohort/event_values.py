"""The values of an event modality: long or wide columns read as numbers, with what is dropped on the way."""

from __future__ import annotations

from typing import Any

import ibis

from gdsfd.cohort.matching import ID, MINUTES, Rows
from gdsfd.cohort.spec import EventsSpec
from gdsfd.cohort.values import as_number, as_text, is_declared_missing
from gdsfd.errors import InputError

__all__ = ["settle_long", "settle_wide"]


def settle_long(rows: Rows, modality: EventsSpec) -> None:
    """Reduces rows of the long form to ``item``, ``minutes`` and ``value``.

    Args:
        rows: The matched rows.
        modality: The spec's entry.

    Raises:
        InputError: Text among the values.
    """
    table = rows.table
    item = table[modality.item]
    rows.drop(item.isnull(), f"blank {modality.item}")
    value: Any = ibis.literal(1.0)
    not_a_number = f"{modality.value} is not a number"
    if modality.value is not None:
        raw = table[modality.value]
        value = as_number(raw)
        rows.drop(raw.isnull(), f"blank {modality.value}")
        if modality.missing:
            rows.drop(is_declared_missing(raw, modality.missing), f"{modality.value} is declared missing")
        rows.drop(value.isnull(), not_a_number)
    dropped = rows.settle(item=as_text(item), minutes=_minutes(rows), value=value)
    if dropped.get(not_a_number) and modality.value is not None:
        declared = is_declared_missing(table[modality.value], modality.missing)
        bad = table[modality.value].notnull() & item.notnull() & ~declared & value.isnull()
        _judge_invalid(rows, modality, table, modality.value, bad, dropped[not_a_number])


def settle_wide(rows: Rows, modality: EventsSpec, columns: list[str]) -> None:
    """Reduces rows of the wide form to ``minutes`` and one number per column, ``v0, v1, ...``.

    Args:
        rows: The matched rows.
        modality: The spec's entry.
        columns: The columns of values.

    Raises:
        InputError: Text among the values.
    """
    table = rows.table
    values, bad = {}, {}
    none = ibis.literal(True)
    for k, name in enumerate(columns):
        declared = is_declared_missing(table[name], modality.missing)
        number = as_number(table[name])
        values[f"v{k}"] = ibis.cases((~declared, number))
        if not table[name].type().is_integer():
            bad[name] = table[name].notnull() & ~declared & number.isnull()
        none = none & values[f"v{k}"].isnull()
    counts = rows.fetch_row(**{name: condition.sum() for name, condition in bad.items()})
    for name, count in counts.items():
        if count:
            _judge_invalid(rows, modality, table, name, bad[name], int(count))
    rows.drop(none, "no measured value")
    rows.settle(minutes=_minutes(rows), **values)


def _minutes(rows: Rows) -> Any:
    return rows.table[MINUTES] if rows.modality.time is not None else ibis.literal(0.0)


def _judge_invalid(rows: Rows, modality: EventsSpec, table: Any, column: str, bad: Any, count: int) -> None:
    """An error, or a note where the spec says ``invalid = "missing"``."""
    if modality.invalid == "missing":
        rows.notes.append(f"column {column!r}: {count} values are not numbers and were read as missing")
        return
    cells = table.filter(bad).select(cell=as_text(table[column]), patient=ID).distinct()
    wrong = rows.fetch(cells.order_by("patient", "cell").limit(5)).to_pylist()
    listed = ", ".join(f"{row['cell']!r} (id {row['patient']})" for row in wrong)
    raise InputError(
        f"modality {modality.name!r}: column {column!r} of {rows.view.label} has {count} values that are not "
        f"numbers: {listed}. "
        "Add them to missing, leave the rows out with where, derive a number, or set invalid = 'missing'"
    )
