"""The values of an event modality: long or wide columns read as numbers, with what is dropped on the way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

import ibis

from gdsfd.cohort.columns.column_types import explained_texts
from gdsfd.cohort.columns.missing_codes import coded_items, find_coded, held, held_in_rows
from gdsfd.cohort.columns.single_precision import find_lost_digits
from gdsfd.cohort.columns.thousands import find_thousands, form_of, form_sql, forms_by_item
from gdsfd.cohort.columns.wide_rows import WideRows
from gdsfd.cohort.readers.matched_rows import MatchedRows
from gdsfd.cohort.sources.internal_names import ID, MINUTES, NUMBER, PATIENT
from gdsfd.cohort.sources.sql_text import quoted
from gdsfd.cohort.sources.values import as_number, as_text, is_declared_missing
from gdsfd.cohort.spec import EventsSpec
from gdsfd.errors import InputError, cell_text, cut_text

__all__ = ["materialize_long", "materialize_wide"]

#: Unit of ``elapsed`` -> minutes.
MINUTES_PER = {"minutes": 1.0, "hours": 60.0, "days": 1440.0, "years": 365.25 * 1440}
_COLUMNS = 32  #: of the wide form, in one statement
_TRIED = 50  #: distinct cells that an expression has to read before a message tells it


def materialize_long(rows: MatchedRows, modality: EventsSpec, names: Sequence[str], fitting: bool = True) -> None:
    """Reduces rows of the long form to ``number`` (of the item), ``minutes`` and ``value``.

    Args:
        rows: The matched rows, with the item's :data:`~gdsfd.cohort.readers.numbering.NUMBER`.
        modality: The spec's entry.
        names: The items by number.
        fitting: Whether these are the patients that a schema is fitted on, not new ones.

    Raises:
        InputError: Text among the values.
    """
    table = rows.table
    rows.drop_where(table[NUMBER].isnull(), f"blank {modality.item}")
    if modality.value is None:
        minutes = _minutes(rows)
        value = ibis.literal(1.0) if modality.elapsed is None else -minutes / MINUTES_PER[modality.elapsed]
        rows.materialize({"number": table[NUMBER], "minutes": minutes, "value": value})
        return
    raw = table[modality.value]
    value = as_number(raw)
    rows.drop_where(raw.isnull(), f"blank {modality.value}")
    filled, declared = rows.pending_view, f"{modality.value} is declared missing"
    if modality.missing:
        rows.drop_where(is_declared_missing(raw, modality.missing), declared)
    measured = rows.pending_view
    not_a_number = f"{modality.value} is not a number"
    rows.drop_where(value.isnull(), not_a_number)
    form = {"form": form_of(raw)} if raw.type().is_string() else {}
    dropped = rows.materialize({"number": table[NUMBER], "minutes": _minutes(rows), "value": value, **form})
    if dropped.get(not_a_number) and not _noted(rows, modality, modality.value, dropped[not_a_number]):
        bad = measured.filter(as_number(measured[modality.value]).isnull())
        cells = bad.select(cell=as_text(bad[modality.value]), patient=ID).distinct()
        wrong = rows.fetch(cells.order_by("patient", "cell").limit(5)).to_pylist()
        pairs = [(str(row["cell"]), str(row["patient"])) for row in wrong]
        good = measured.filter(as_number(measured[modality.value]).notnull())
        texts = [
            [str(row["cell"]) for row in rows.fetch(_longest(as_text(some[modality.value]), some)).to_pylist()]
            for some in (bad, good)
        ]
        _refuse(rows, modality, modality.value, dropped[not_a_number], pairs, *texts)
    if fitting and modality.missing:
        seen = held_in_rows(filled, modality.value, modality.missing, dropped.get(declared, 0), rows.fetch)
        rows.declared_missing.note(modality.name, modality.missing, seen)
    rows.findings += find_coded(modality.name, coded_items(rows.table, names, rows.fetch), "item")
    if fitting:
        rows.findings += find_lost_digits(modality.name, rows.table, names, rows.fetch)
    if form:
        doubted = rows.fetch(forms_by_item(rows.table)).to_pylist()
        doubts = [(names[row["number"]], row["smallest"], row["largest"]) for row in doubted]
        rows.findings += find_thousands(modality, doubts)
        rows.table = rows.table.drop("form")


def materialize_wide(rows: WideRows, modality: EventsSpec, columns: list[str], fitting: bool = True) -> Any:
    """Turns the wide form into one row per value, a few columns at a time, so that there may be any number of them.

    Args:
        rows: The matched rows; those without any value are dropped.
        modality: The spec's entry.
        columns: The columns of values.
        fitting: As in :func:`materialize_long`.

    Returns:
        The values: ``row`` (as in the materialized rows), ``number`` (place of the column) and ``value``.

    Raises:
        InputError: Text among the values.
    """
    database, matched = rows.rows.database, rows.rows
    name = database.new_name("values")
    database.run(f"CREATE TABLE {name} (row BIGINT, number INTEGER, value DOUBLE, form TINYINT)")
    first = 0
    seen: set[str] = set()
    for names in rows.pieces(columns, _COLUMNS):
        if fitting and modality.missing:
            seen |= held(modality.missing, _declared_cells(rows, names, modality.missing))
        parts = []
        for k, column in enumerate(names):
            value, missing = rows.number_of(column), rows.is_missing(column, modality.missing)
            parts += [f"CASE WHEN NOT {missing} THEN {value} END AS n{k}"]
            form = form_sql(f"v.{quoted(column)}") if rows.is_text(column) else "3"
            parts.append(f"{form} AS f{k}")
            parts += [f"v.{quoted(column)} IS NOT NULL AND NOT {missing} AND ({value}) IS NULL AS b{k}"]
        piece = rows.beside(names, f"r.row, {', '.join(parts)}")
        numbers = ", ".join(str(first + k) for k in range(len(names)))
        values, forms = (", ".join(f"{part}{k}" for k in range(len(names))) for part in "nf")
        with database.reading(matched.view.label):
            bad = database.rows(f"SELECT {', '.join(f'sum(b{k})' for k in range(len(names)))} FROM ({piece})")[0]
            for k, column in enumerate(names):
                if bad[k] and not _noted(matched, modality, column, int(bad[k])):
                    texts = [_texts_of(rows, piece, column, which) for which in (f"p.b{k}", f"p.n{k} IS NOT NULL")]
                    _refuse(matched, modality, column, int(bad[k]), _cells_of(rows, piece, column, k), *texts)
            database.run(
                f"INSERT INTO {name} SELECT row, number, value, form FROM (SELECT row, unnest([{numbers}]) AS number, "
                f"unnest([{values}]) AS value, unnest([{forms}]) AS form FROM ({piece})) WHERE value IS NOT NULL"
            )
        first += len(names)
    values = database.table(name)
    if fitting:
        matched.declared_missing.note(modality.name, modality.missing, seen)
        matched.findings += find_lost_digits(modality.name, values, columns, matched.fetch)
    matched.findings += find_coded(modality.name, coded_items(values, columns, matched.fetch), "item")
    doubted = matched.fetch(forms_by_item(values)).to_pylist()
    matched.findings += find_thousands(
        modality, [(columns[row["number"]], row["smallest"], row["largest"]) for row in doubted]
    )
    matched.drop_where(~matched.table["row"].isin(values["row"]), "no measured value")
    matched.materialize({name: matched.table[name] for name in ("row", "minutes")})
    return values


def _declared_cells(rows: WideRows, columns: Sequence[str], missing: Sequence[object]) -> list[str]:
    """Different cells of columns of the wide form that are declared missing, as text."""
    cells = [f"CASE WHEN {rows.is_missing(column, missing)} THEN {rows.text_of(column)} END" for column in columns]
    beside = rows.beside(columns, f"unnest([{', '.join(cells)}]) AS cell")
    return [
        str(cell) for (cell,) in rows.rows.database.rows(f"SELECT DISTINCT cell FROM ({beside}) WHERE cell IS NOT NULL")
    ]


def _cells_of(rows: WideRows, piece: str, column: str, k: int) -> list[tuple[str, str]]:
    beside = rows.beside(
        [column], f"r.row, r.{quoted(PATIENT)} AS patient, CAST(v.{quoted(column)} AS VARCHAR) AS cell"
    )
    found = rows.rows.database.rows(
        f"SELECT DISTINCT left(c.cell, 200), c.patient FROM ({piece}) p JOIN ({beside}) c ON c.row = p.row "
        f"WHERE p.b{k} ORDER BY 2, 1 LIMIT 5"
    )
    return [(str(cell), rows.rows.cohort.id[patient]) for cell, patient in found]


def _texts_of(rows: WideRows, piece: str, column: str, which: str) -> list[str]:
    """Distinct cells of a column of the wide form, the longest first."""
    beside = rows.beside([column], f"r.row, CAST(v.{quoted(column)} AS VARCHAR) AS cell")
    found = rows.rows.database.rows(
        f"SELECT DISTINCT left(c.cell, 200) AS cell, length(left(c.cell, 200)) AS size FROM ({piece}) p "
        f"JOIN ({beside}) c ON c.row = p.row WHERE {which} ORDER BY size DESC, cell LIMIT {_TRIED}"
    )
    return [str(cell) for cell, _ in found]


def _longest(cell: Any, rows: Any) -> Any:
    """Distinct cells of the long form, the longest first: among them are numbers with thousands apart."""
    texts = rows.select(cell=cell.left(200)).distinct()
    return texts.order_by(texts.cell.length().desc(), texts.cell).limit(_TRIED)


def _minutes(rows: MatchedRows) -> Any:
    return rows.table[MINUTES] if rows.modality.time is not None else ibis.literal(0.0)


def _noted(rows: MatchedRows, modality: EventsSpec, column: str, count: int) -> bool:
    """Whether text among numbers is missing by the spec, and then tells it."""
    if modality.invalid == "missing":
        rows.notes.append(f"column {column!r}: {count} values are not numbers and were read as missing")
    return modality.invalid == "missing"


def _refuse(
    rows: MatchedRows,
    modality: EventsSpec,
    column: str,
    count: int,
    wrong: list[tuple[str, str]],
    texts: list[str],
    plain: list[str],
) -> NoReturn:
    """Raises the InputError of text among numbers.

    Args:
        rows: The matched rows.
        modality: The spec's entry.
        column: The column.
        count: Its cells that are no numbers.
        wrong: The first of them with their ids.
        texts: Some more of them.
        plain: Some cells that are numbers.
    """
    listed = ", ".join(f"{cell_text(cell)} (id {cut_text(own)})" for cell, own in wrong)
    ways = explained_texts(column, list(dict.fromkeys([*(cell for cell, _ in wrong), *texts])), plain)
    raise InputError(
        f"modality {modality.name!r}: column {column!r} of {rows.view.label} has {count} values that are not numbers: "
        f"{listed}. Leave the rows out with where, {ways}, or set invalid = 'missing'"
    )
