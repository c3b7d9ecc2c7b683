"""A modality's rows beside the columns of their source, read a few at a time, however many columns there are."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import ibis
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from gdsfd.cohort.columns.cells import Cells, kind_of
from gdsfd.cohort.patients.cohort_rows import CohortRows
from gdsfd.cohort.readers.matched_rows import MatchedRows, match_rows
from gdsfd.cohort.receipt.receipt import Drop
from gdsfd.cohort.sources.internal_names import MINUTES, PATIENT, ROW
from gdsfd.cohort.sources.sources import Sources, View
from gdsfd.cohort.sources.sql_text import number, quoted, string_literal
from gdsfd.cohort.sources.values import parse_scalar
from gdsfd.cohort.spec import ModalitySpec

__all__ = ["WideRows", "wide_rows"]

_COLUMNS, _CELLS = 256, 4_000_000  #: of one statement, at most (but at least one column)
_LONGEST = 256  #: bytes of a cell; a longer text is told apart by its beginning and a digest, so that memory is bounded


class WideRows:
    """Settled rows beside the columns of their source, of which any number may be read.

    No statement grows with the number of columns: they are read a few at a time.

    Args:
        rows: Settled rows with columns ``row``, the position in the source, and ``minutes``.
        types: Ibis types of the source's columns.
    """

    def __init__(self, rows: MatchedRows, types: Mapping[str, Any]) -> None:
        self.rows = rows
        self._types = types
        self._matched = rows.table.get_name()

    def __len__(self) -> int:
        return len(self.patient)

    @cached_property
    def patient(self) -> NDArray[np.int64]:
        """Row of the cohort of each row, ascending; int64 [R]."""
        return self._places[PATIENT].to_numpy().astype(np.int64)

    @cached_property
    def position(self) -> NDArray[np.int64]:
        """Position of each row in the source; int64 [R]."""
        return self._places["row"].to_numpy().astype(np.int64)

    @cached_property
    def _places(self) -> pa.Table:
        query = f"SELECT {quoted(PATIENT)}, row FROM {quoted(self._matched)} ORDER BY {quoted(PATIENT)}, row"
        return self.rows.database.arrow(query)

    def owner(self, row: int) -> str:
        """The id of a row's patient."""
        return self.rows.cohort.id[self.patient[row]]

    def drop_where(self, gone: NDArray[np.bool_], reason: str) -> None:
        """Accounts for rows that are dropped; the caller leaves them out.

        Args:
            gone: Which; bool [R].
            reason: For the receipt.
        """
        places = np.flatnonzero(gone)
        if len(places):
            examples = list(dict.fromkeys(self.owner(int(row)) for row in places[:64]))[:5]
            self.rows.drops.append(Drop(reason, len(places), examples, names_patients=True))
            self.rows.kept -= len(places)

    def cells(
        self,
        columns: Sequence[str],
        missing: Sequence[object] = (),
        as_text: Sequence[str] = (),
        numbers_only: bool = False,
    ) -> Iterator[Cells]:
        """The columns one after the other.

        Args:
            columns: Their names.
            missing: Declared values that mean "not measured".
            as_text: Columns of numbers that are wanted as text, too.
            numbers_only: Text is not wanted as written, unless values are declared missing.
        """
        wanted = set(as_text)
        with_text = bool(missing) or not numbers_only
        for names in self.pieces(columns):
            parts = []
            for k, name in enumerate(names):
                cell, kind = f"v.{quoted(name)}", kind_of(self._types[name])
                if kind == "text":
                    truth = f"CASE lower({cell}) WHEN 'true' THEN 1.0 WHEN 'false' THEN 0.0 ELSE {number(cell)} END"
                    written = f"{_bounded(cell)} AS c{k}" if with_text else f"{cell} IS NOT NULL AS m{k}"
                    parts += [written, f"{truth} AS n{k}"]
                elif kind == "number":
                    parts.append(f"CAST({cell} AS DOUBLE) AS n{k}")
                else:
                    parts.append(f"{cell} IS NOT NULL AS m{k}")
                if kind != "text" and (name in wanted or missing):
                    parts.append(f"{_bounded(_as_text(cell, self._types[name]))} AS c{k}")
            found = self.fetch(names, ", ".join(parts))
            table = dict(zip(found.column_names, found.columns))
            for k, name in enumerate(names):
                yield self._cells(table, k, name, missing)

    def holds_times(self, columns: Sequence[str]) -> dict[str, NDArray[np.bool_]]:
        """For columns of text, which cells are dates, timestamps or times of day; bool [R] each."""
        found = {}
        for names in self.pieces(columns):
            parts = []
            for k, name in enumerate(names):
                cell = f"v.{quoted(name)}"
                clock = f"regexp_matches({cell}, '^[0-9]{{1,3}}:[0-5][0-9](:[0-5][0-9])?$')"
                parts.append(
                    f"coalesce((contains({cell}, '-') AND TRY_CAST({cell} AS TIMESTAMP) IS NOT NULL) OR {clock}, "
                    f"false) AS t{k}"
                )
            table = self.fetch(names, ", ".join(parts))
            for k, name in enumerate(names):
                found[name] = table[f"t{k}"].to_numpy(zero_copy_only=False).astype(bool)
        return found

    def pieces(self, columns: Sequence[str], most: int | None = None) -> Iterator[Sequence[str]]:
        """The columns in groups that one statement may read.

        Args:
            columns: The columns.
            most: Columns of a group; default: as many as fit in memory.
        """
        size = most or max(1, min(_COLUMNS, _CELLS // max(len(self), 1)))
        for start in range(0, len(columns), size):
            yield columns[start : start + size]

    def fetch(self, columns: Sequence[str], selected: str) -> pa.Table:
        """SQL expressions over columns of the source (``v.<column>``), one row per matched row, in their order.

        Args:
            columns: The columns.
            selected: The expressions, joined by commas.
        """
        with self.rows.database.reading(self.rows.view.label):
            return self.rows.database.arrow(f"{self.beside(columns, selected)} ORDER BY r.{quoted(PATIENT)}, r.row")

    def beside(self, columns: Sequence[str], selected: str) -> str:
        """A query of expressions over columns of the source (``v.<column>``) and the matched rows (``r``)."""
        view = quoted(self.rows.view.narrow(columns).table.get_name())
        return f"SELECT {selected} FROM {quoted(self._matched)} r JOIN {view} v ON v.{quoted(ROW)} = r.row"

    def is_text(self, column: str) -> bool:
        """Whether a column is text as its source has it."""
        return kind_of(self._types[column]) == "text"

    def text_of(self, column: str) -> str:
        """SQL of a column as text."""
        return _as_text(f"v.{quoted(column)}", self._types[column])

    def number_of(self, column: str) -> str:
        """SQL of a column as a finite number, null where it is none."""
        cell, dtype = f"v.{quoted(column)}", self._types[column]
        if kind_of(dtype) == "text":
            return number(cell)
        if kind_of(dtype) != "number":
            return "CAST(NULL AS DOUBLE)"
        read = f"CAST({cell} AS DOUBLE)"
        return f"CASE WHEN isfinite({read}) THEN {read} END"

    def is_missing(self, column: str, missing: Sequence[object]) -> str:
        """SQL that says whether a cell is declared missing, as text or as a number; never null."""
        cell, kind = f"v.{quoted(column)}", kind_of(self._types[column])
        numbers, texts = [], []
        for value in missing:
            parsed = parse_scalar(value)
            finite = parsed is not None and math.isfinite(parsed)
            if finite and kind in ("text", "number"):
                numbers.append(repr(parsed))
            if kind == "text" or not (finite and kind == "number"):
                texts.append(string_literal(str(value).strip()))
        found = [f"({self.number_of(column)}) IN ({', '.join(numbers)})"] if numbers else []
        found += [f"{_as_text(cell, self._types[column])} IN ({', '.join(texts)})"] if texts else []
        return f"coalesce({' OR '.join(found)}, false)" if found else "false"

    def _cells(self, table: Mapping[str, pa.ChunkedArray], k: int, name: str, missing: Sequence[object]) -> Cells:
        kind = kind_of(self._types[name])
        raw = table[f"c{k}"].combine_chunks() if f"c{k}" in table else None
        if f"m{k}" in table:
            filled = table[f"m{k}"].to_numpy(zero_copy_only=False).astype(bool)
        else:
            given = table[f"n{k}"] if raw is None else table[f"c{k}"]
            filled = given.is_valid().to_numpy(zero_copy_only=False).astype(bool)
        if kind in ("time", "nested"):
            return Cells(name, kind, raw, np.full(len(filled), np.nan), filled, missing)
        values = table[f"n{k}"].to_numpy(zero_copy_only=False).astype(np.float64)
        finite = np.where(np.isfinite(values), values, np.nan)
        return Cells(name, kind, raw, finite, filled, missing, values if kind == "number" else None)


def wide_rows(modality: ModalitySpec, view: View, cohort: CohortRows, sources: Sources, **window: Any) -> WideRows:
    """Matches a modality's rows with patients, without their columns.

    Args:
        modality: The spec's entry.
        view: Its source.
        cohort: The patients.
        sources: Where tables are opened.
        window: As in :func:`~gdsfd.cohort.readers.matched_rows.match_rows`.

    Raises:
        InputError: A missing column, an unreadable time.
    """
    keys = [view.require(modality.id, f"id of modality {modality.name!r}")]
    if modality.time is not None:
        keys.append(view.require(modality.time, f"time of modality {modality.name!r}"))
    rows = match_rows(modality, view.narrow(keys), cohort, sources, **window)
    minutes = rows.table[MINUTES] if modality.time is not None else ibis.literal(0.0)
    rows.materialize({"row": rows.table[ROW], "minutes": minutes})
    return WideRows(rows, view.types)


def _as_text(cell: str, dtype: Any) -> str:
    """SQL of a cell as :func:`~gdsfd.cohort.sources.values.as_text` writes it: whole floats as integers."""
    text = f"CAST({cell} AS VARCHAR)"
    if not dtype.is_floating():
        return text
    integer = f"TRY_CAST({cell} AS BIGINT)"
    return f"CASE WHEN {integer} = {cell} AND abs({cell}) < {2**53} THEN CAST({integer} AS VARCHAR) ELSE {text} END"


def _bounded(cell: str) -> str:
    """SQL of a text, shortened where it is long without making two of them equal."""
    short = f"left({cell}, {_LONGEST // 2}) || '… #' || left(md5({cell}), 12)"
    return f"CASE WHEN strlen({cell}) > {_LONGEST} THEN {short} ELSE {cell} END"
