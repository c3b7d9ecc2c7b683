"""Which groups of codes a MEDS data set has before the prediction times: with numbers or without, timed or static."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa

from gdsfd.cohort.formats.meds_parents import codes_under
from gdsfd.cohort.formats.proposed import modality_name
from gdsfd.cohort.formats.request import FormatRequest, Group
from gdsfd.cohort.sources.sql_text import string_literal
from gdsfd.errors import InputError, shown

__all__ = ["BIRTH", "Sort", "find_sorts"]

BIRTH, DEATH = "MEDS_BIRTH", "MEDS_DEATH"  #: codes of MEDS that are no measurements
#: Groups found in the data have at least this many rows; a smaller one could not be fitted.
_FEWEST_ROWS = 10
_MOST_GROUPS = 60


@dataclass(frozen=True)
class Sort:
    """Rows of a group that are alike, one modality.

    Args:
        group: Its name.
        condition: SQL of its codes.
        kind: ``events`` for rows with a number, ``age`` for births, else ``codes``.
        static: Whether the rows have no time.
        all_rows: Whether rows with a number are taken as codes, too.
    """

    group: str
    condition: str
    kind: str
    static: bool
    all_rows: bool = False


def find_sorts(
    request: FormatRequest, paths: Sequence[str], columns: Sequence[str], moments: pa.Table
) -> tuple[list[Sort], list[str]]:
    """The sorts of rows, by group; and notes on what is left out.

    Args:
        request: The spec's fields.
        paths: The data's files.
        columns: Their columns.
        moments: ``subject_id`` (text) and ``prediction_time`` of the labels.

    Raises:
        InputError: Too many groups to be modalities, or files that cannot be read.
    """
    conditions = {name: _of_group(request, group) for name, group in request.vocabulary.items()}
    number = "numeric_value" if "numeric_value" in columns else "NULL"
    with duckdb.connect() as connection:
        connection.register("moments", moments)
        try:
            connection.execute(
                "CREATE TEMP TABLE codes AS SELECT d.code, d.time IS NULL AS static, "
                f"{number} IS NOT NULL AS numeric, count(*) AS rows FROM read_parquet(?, union_by_name = true) d "
                "JOIN moments l ON CAST(d.subject_id AS VARCHAR) = l.subject_id "
                "WHERE d.time IS NULL OR (epoch_us(d.time) - epoch_us(l.prediction_time) >= ? "
                "AND epoch_us(d.time) - epoch_us(l.prediction_time) < ?) GROUP BY ALL",
                [list(paths), *(round(minutes * 60_000_000) for minutes in request.window)],
            )
        except duckdb.Error as error:
            raise InputError(f"MEDS data cannot be read: {str(error).splitlines()[0]}") from None
        if not request.vocabulary:
            return _found(connection)
        sorts: list[Sort] = []
        notes: list[str] = []
        for name, group in request.vocabulary.items():
            if group.kind == "age" or group.prefix == [BIRTH]:
                sorts.append(Sort(name, "", "age", False))
                continue
            notes += _unseen(connection, name, group)
            query = f"SELECT static, numeric, sum(rows) FROM codes WHERE {conditions[name]} GROUP BY ALL ORDER BY ALL"
            rows = connection.execute(query).fetchall()
            rows = [row for row in rows if group.static is None or row[0] == group.static]
            if group.kind is not None:
                static = group.static if group.static is not None else bool(rows) and all(row[0] for row in rows)
                sorts.append(Sort(name, conditions[name], group.kind, static, all_rows=group.kind == "codes"))
                continue
            if not rows:
                known = [row[0] for row in connection.execute("SELECT DISTINCT code FROM codes ORDER BY 1").fetchall()]
                raise InputError(
                    f"vocabulary.{name}: no code before the prediction times {_words(group)}; there are "
                    f"{shown(known, 8)}"
                )
            sorts += [Sort(name, conditions[name], "events" if row[1] else "codes", bool(row[0])) for row in rows]
    return _ordered(sorts), notes


def _unseen(connection: duckdb.DuckDBPyConnection, name: str, group: Group) -> list[str]:
    """Of several beginnings those that no code has; one alone is refused."""
    found = []
    for prefix in group.prefix if len(group.prefix) > 1 else ():
        row = connection.execute(f"SELECT count(*) FROM codes WHERE {_of_prefixes([prefix])}").fetchone()
        if row is not None and not row[0]:
            found.append(f"{name}: no code before the prediction times begins with {prefix!r}")
    return found


def _found(connection: duckdb.DuckDBPyConnection) -> tuple[list[Sort], list[str]]:
    """Groups by what stands before ``//``; all that is static is one group."""
    group = "CASE WHEN static THEN '' WHEN contains(code, '//') THEN split_part(code, '//', 1) END"
    left_out = ", ".join(map(string_literal, (BIRTH, DEATH)))
    rows: list[Any] = connection.execute(
        f"SELECT {group} AS group_name, static, numeric, sum(rows) FROM codes WHERE code NOT IN ({left_out}) "
        "GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    names: dict[str | None, str] = {}
    notes: list[str] = []
    sorts: list[Sort] = []
    births = connection.execute("SELECT coalesce(sum(rows), 0) FROM codes WHERE code = ?", [BIRTH]).fetchone()
    if births and births[0] >= _FEWEST_ROWS and rows:
        names[BIRTH] = "age"
        sorts.append(Sort("age", "", "age", False))
    for text, static, numeric, count in rows:
        kind = "events" if numeric else "codes"
        what = "static" if static else text or "codes without '//'"
        if count < _FEWEST_ROWS:
            notes.append(f"{what} ({kind}): {count} rows before the prediction times are too few")
            continue
        if text not in names:
            names[text] = "static" if static else modality_name(text or "", list(names.values()))
        if static:
            condition = f"code NOT IN ({left_out})"
        elif text is None:
            condition = f"NOT contains(code, '//') AND code NOT IN ({left_out})"
        else:
            condition = _of_prefixes([f"{text}//"])
        sorts.append(Sort(names[text], condition, kind, bool(static)))
    if len(names) > _MOST_GROUPS:
        raise InputError(
            f"the codes begin in {len(names)} ways ({shown([name or 'other' for name in names], 8)}), too many to be "
            'modalities; say which are, in [cohort]: vocabulary = {lab = "LAB//", drug = ["RX//", "NDC//"]}'
        )
    return _ordered(sorts), notes


def _ordered(sorts: list[Sort]) -> list[Sort]:
    """Groups in their order; of one group numbers first, then codes, static ones last."""
    order = list(dict.fromkeys(sort.group for sort in sorts))
    return sorted(sorts, key=lambda sort: (order.index(sort.group), sort.static, sort.kind != "events"))


def _of_group(request: FormatRequest, group: Group) -> str:
    """SQL of a group's codes."""
    parts = [_of_prefixes(group.prefix)] if group.prefix else []
    if group.parent:
        codes = codes_under(group.parent, request.on_disk("metadata", "codes.parquet"))
        parts.append(f"code IN ({', '.join(map(string_literal, codes))})")
    return " AND ".join(parts)


def _words(group: Group) -> str:
    parts = [f"begins with {shown(group.prefix)}"] if group.prefix else []
    parts += [f"has the parent {shown(group.parent)}"] if group.parent else []
    return " and ".join(parts)


def _of_prefixes(prefixes: Sequence[str]) -> str:
    parts = [f"starts_with(code, {string_literal(prefix)})" for prefix in prefixes]
    return parts[0] if len(parts) == 1 else f"({' OR '.join(parts)})"
