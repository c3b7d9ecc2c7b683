"""Numeric or categorical? Decided per column of a table modality by what its cells hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import ibis

from gdsfd.cohort.matching import ID, Rows
from gdsfd.cohort.spec import TableSpec
from gdsfd.cohort.values import as_number, as_text, is_declared_missing
from gdsfd.errors import InputError, cell_text, cut_text

__all__ = ["ColumnTypes", "infer_types", "measured", "truth_or_number"]

_TRUTH = ("true", "false")
_MOSTLY_UNIQUE, _ENOUGH_ROWS = 0.9, 20


@dataclass
class ColumnTypes:
    """Which columns are numeric, which categorical, and which were left out (with a note in the rows' notes)."""

    numeric: list[str]
    categorical: list[str]


def measured(column: Any, modality: TableSpec) -> Any:
    """The column with declared missing values as null."""
    return ibis.cases((~is_declared_missing(column, modality.missing), column))


def truth_or_number(column: Any) -> Any:
    """The column as float64; ``true`` and ``false`` text count as 1 and 0."""
    if not column.type().is_string():
        return as_number(column)
    lowered = column.lower()
    return ibis.cases((lowered == "true", 1.0), (lowered == "false", 0.0), else_=as_number(column))


def infer_types(rows: Rows, modality: TableSpec, columns: list[str], by_default: bool) -> ColumnTypes:
    """Sorts columns into numeric and categorical.

    A text column is numeric when all its measured cells are numbers, and an error when most but not all are. Times and
    columns with nearly a value of its own per row (ids, free text) are left out unless listed.

    Args:
        rows: The matched rows.
        modality: The spec's entry.
        columns: The columns taken.
        by_default: Whether the user named none of them, so that unfit ones may be left out silently but for a note.

    Raises:
        InputError: A column that looks numeric but holds text.
    """
    facts = rows.fetch_row(rows.table, **_facts(rows.table, modality, columns))
    types = ColumnTypes([], [])
    for k, column in enumerate(columns):
        kind = rows.table[column].type()
        total, numbers, truths, times = (int(facts[f"{fact}{k}"]) for fact in ("m", "n", "b", "t"))
        distinct = int(facts[f"d{k}"])
        mostly_unique = total >= _ENOUGH_ROWS and distinct > _MOSTLY_UNIQUE * total
        if column in modality.categorical:
            types.categorical.append(column)
        elif kind.is_timestamp() or kind.is_date() or (total and times == total):
            rows.notes.append(f"column {column!r} holds times and was left out; derive a number to use it")
        elif kind.is_nested():
            rows.notes.append(f"column {column!r} is a list or a structure and was left out")
        elif not total and column not in modality.numeric:
            rows.notes.append(f"column {column!r} has no measured value and was left out")
        elif numbers + truths == total or column in modality.numeric:
            _check_numeric(rows, modality, column, total, numbers + truths)
            whole = distinct == total and total >= _ENOUGH_ROWS and column.lower().endswith("id")
            if by_default and whole and column not in modality.numeric:
                rows.notes.append(
                    f"column {column!r} looks like an id and was left out; list it under numeric to take it"
                )
            else:
                types.numeric.append(column)
        elif 2 * numbers > total:
            _check_numeric(rows, modality, column, total, numbers)
            types.numeric.append(column)
        elif mostly_unique:
            rows.notes.append(
                f"column {column!r} has a text of its own in nearly every row and was left out; list it under "
                "categorical to take it"
            )
        else:
            types.categorical.append(column)
    return types


def _facts(table: Any, modality: TableSpec, columns: list[str]) -> dict[str, Any]:
    """Per column: measured cells, those that are numbers, truth values, times, and distinct ones."""
    facts: dict[str, Any] = {}
    for k, column in enumerate(columns):
        cell = measured(table[column], modality)
        kind = cell.type()
        none = ibis.literal(0)
        facts[f"m{k}"] = cell.count()
        facts[f"d{k}"] = cell.nunique() if not kind.is_nested() else none
        if kind.is_string():
            facts[f"n{k}"] = as_number(cell).count()
            facts[f"b{k}"] = cell.lower().isin(_TRUTH).sum()
            times = (cell.contains("-") & cell.try_cast("timestamp").notnull()) | cell.re_search(
                r"^[0-9]{1,3}:[0-5][0-9](:[0-5][0-9])?$"
            )
            facts[f"t{k}"] = times.sum()
        else:
            facts[f"n{k}"] = as_number(cell).count() if kind.is_numeric() or kind.is_boolean() else none
            facts[f"b{k}"] = facts[f"t{k}"] = none
    return facts


def _check_numeric(rows: Rows, modality: TableSpec, column: str, total: int, readable: int) -> None:
    if readable == total:
        return
    if modality.invalid == "missing":
        rows.notes.append(f"column {column!r}: {total - readable} cells are not numbers and were read as missing")
        return
    table = rows.named(rows.table)
    cell = measured(table[column], modality)
    wrong = rows.fetch(
        table.filter(cell.notnull() & truth_or_number(cell).isnull())
        .select(cell=as_text(table[column]), patient=ID)
        .order_by("patient")
        .limit(5)
    ).to_pylist()
    listed = ", ".join(f"{cell_text(row['cell'])} (id {cut_text(row['patient'])})" for row in wrong)
    raise InputError(
        f"modality {modality.name!r}: column {column!r} of {rows.view.label} looks numeric but {total - readable} "
        f"values are not: {listed}. "
        "List the column under categorical, add the value to missing, derive a number, or set invalid = 'missing'"
    )
