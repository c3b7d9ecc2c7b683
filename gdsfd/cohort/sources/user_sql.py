"""The SQL that users write in a spec: ``derive`` and ``where``, laid over a base table as a view."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

import duckdb

from gdsfd.cohort.sources.absent_words import AbsentWords
from gdsfd.cohort.sources.base_tables import BaseTable
from gdsfd.cohort.sources.clean_column import ZONED, cleaned_column
from gdsfd.cohort.sources.database import Database
from gdsfd.cohort.sources.internal_names import KEEP, ROW, check_names, clashing, raw_column
from gdsfd.cohort.sources.sql_text import (
    cleaned,
    looks_integer,
    looks_like_a_date,
    looks_number,
    looks_timestamp,
    looks_zoned,
    quoted,
)
from gdsfd.cohort.spec.row_expression import RAW_SUFFIX, RowExpression, row_expression
from gdsfd.errors import SpecError, cell_text, shown

__all__ = ["KEEP", "RAW_SUFFIX", "ROW", "UserSql"]

#: A cast to a timestamp without a zone.
_LOSES_ZONE = re.compile(
    r"\bAS\s+(?:TIMESTAMP(?:_\w+)?|DATETIME)\b(?!\s+WITH)|::\s*(?:TIMESTAMP(?:_\w+)?|DATETIME)\b(?!\s+WITH)",
    re.IGNORECASE,
)
BLANK = "blank"  #: stands for the type of a text column without any value


class UserSql:
    """Lays users' SQL over base tables.

    In expressions, text columns that hold only numbers or only timestamps behave as such, and ``<column>__text`` is the
    text as written. What leaves the view is as written again.

    Args:
        database: The database.
    """

    def __init__(self, database: Database) -> None:
        self.database = database
        self.durations: dict[str, frozenset[str]] = {}  #: view -> derived columns that are durations, read as minutes
        #: view -> what is to be said of text columns whose numbers are written anew on the way
        self.respelled: dict[str, list[str]] = {}
        self.absent: dict[str, list[str]] = {}  #: view -> what is to be said of texts that no cell of a column is
        self._words = AbsentWords(database)
        self._looks: dict[tuple[str, str], str] = {}
        self._mixed: dict[tuple[str, str], str] = {}  # what text columns hold that are numbers or times but for some

    def view(
        self, base: BaseTable, derive: Mapping[str, str], where: str | None, what: str
    ) -> tuple[str, tuple[str, ...]]:
        """A view of the columns as written, the derived ones, :data:`ROW`, and :data:`KEEP` for ``where``.

        Args:
            base: The table.
            derive: New columns, name -> SQL; a name that exists is replaced. Each may use those before it.
            where: SQL; null counts as not true.
            what: Where the spec has them, for messages.

        Returns:
            Name of the view and its columns, without :data:`ROW` and :data:`KEEP`.

        Raises:
            SpecError: The SQL is wrong, names a column that is not there, or is more than an expression over a row.
        """
        check_names(derive, f"{what}, derive")
        for name in derive:
            other = clashing([*base.columns, *derive], name)
            if other != name:
                raise SpecError(
                    f"{what}, derive: {name!r} and {other!r} differ only in upper and lower case, which SQL takes for "
                    "the same; write both alike to replace the column, or choose another name"
                )
        derived = {name: _admitted(text, what, f"derive.{name}") for name, text in derive.items()}
        condition = None if where is None else _admitted(where, what, "where")
        expressions = [*derived.values(), *([] if condition is None else [condition])]
        mentioned = [
            column
            for column, kind in base.types.items()
            if kind == "VARCHAR" and any(expression.reads(column) for expression in expressions)
        ]
        query, keep, typing = self._laid_over(base, derived, condition, what, mentioned)
        known = list(dict.fromkeys([*base.types, *derive]))
        kinds = self.database.types_of(query)
        outer = [ROW, f"{keep} AS {KEEP}"]
        for column in known:
            if column in derive:
                outer.append(f"{cleaned_column(quoted(column), kinds[column])} AS {quoted(column)}")
            elif column in mentioned:
                outer.append(f"{quoted(raw_column(column))} AS {quoted(column)}")
            else:
                outer.append(quoted(column))
        view = self.database.new_name("view")
        self.durations[view] = frozenset(column for column in derive if kinds[column] == "INTERVAL")
        self.respelled[view] = [
            text
            for field, expression in derived.items()
            for column in mentioned
            if typing[column] in ("BIGINT", "DOUBLE")
            and column.lower() in {name.lower() for name in expression.spelled}
            for text in self._respelled(base, column, typing[column], field)
        ]
        by_field = {f"derive.{name}": one for name, one in derived.items()}
        if condition is not None:
            by_field["where"] = condition
        texts = [
            column for column in mentioned if typing[column] == "VARCHAR" and self._looks[base.name, column] != BLANK
        ]
        self.absent[view] = self._words.told(base, by_field, texts, derive)
        of_sql = [column for column in base.types if any(expression.reads(column) for expression in expressions)]
        reads = {column: of_sql if column in derive else [column] for column in known}
        reads |= {KEEP: of_sql, ROW: [base.row_number]}
        self.database.lay_over(view, f"SELECT {', '.join(outer)} FROM ({query})", base.name, reads)
        return view, tuple(known)

    def _laid_over(
        self,
        base: BaseTable,
        derive: Mapping[str, RowExpression],
        where: RowExpression | None,
        what: str,
        mentioned: Sequence[str],
    ) -> tuple[str, str, Mapping[str, str]]:
        """The base table with typed and derived columns, the filter, and the first typing that they accept.

        A column whose values all happen to be digits may be meant as text (``code LIKE '4%'``), and one without any
        value as anything; so when an expression does not fit the types found, near typings are tried.
        """
        found = {column: self._typed_as(base, column) for column in mentioned}
        blank = [column for column, kind in found.items() if kind == BLANK]
        typings = [
            {**found, **dict.fromkeys(blank, kind)} for kind in ("VARCHAR", "DOUBLE", "TIMESTAMP")[: 3 if blank else 1]
        ]
        typings += [
            {**typings[0], column: "VARCHAR"} for column, kind in found.items() if kind not in ("VARCHAR", BLANK)
        ]
        for field, expression in [*((f"derive.{name}", one) for name, one in derive.items()), ("where", where)]:
            if expression is not None:
                self._check_order(base, expression, what, field)
        first: SpecError | None = None
        for typing in typings:
            query, known = self._typed(base, typing, derive), list(base.types)
            try:
                for name, expression in derive.items():
                    self._bind(
                        expression.sql, query, what, f"derive.{name}", expression, [*base.columns, *known], typing
                    )
                    if name in known:
                        query = f"SELECT * REPLACE ({expression.sql} AS {quoted(name)}) FROM ({query})"
                    else:
                        query = f"SELECT *, {expression.sql} AS {quoted(name)} FROM ({query})"
                        known.append(name)
                if where is None:
                    return query, "true", typing
                keep = f"coalesce(CAST({where.sql} AS BOOLEAN), false)"
                self._bind(keep, query, what, "where", where, [*base.columns, *known], typing)
                return query, keep, typing
            except SpecError as error:
                first = first or error
                if not blank and "No function matches" not in str(first):
                    break  # never compare numbers as texts because the other side is text
        raise first or SpecError(what)

    def _respelled(self, base: BaseTable, column: str, kind: str, field: str) -> list[str]:
        """What is to be said where a text column that happens to hold numbers only is written into a text.

        Beside other rows, with a letter in one of them, the same cells would stay as they are: a code would then have
        two names, one for a patient alone and one in the cohort.
        """
        value = quoted(column)
        with self.database.reading(base.label):
            count, cell = self.database.rows(
                f"SELECT count({value}), min({value}) FROM (SELECT {cleaned(value)} AS {value} FROM {base.name}) "
                f"WHERE CAST(TRY_CAST({value} AS {kind}) AS VARCHAR) <> {value}"
            )[0]
        if not count:
            return []
        becomes = str(int(cell)) if kind == "BIGINT" else repr(float(cell))
        return [
            f"{field}: column {column!r} holds numbers only and is read as such, so {cell_text(cell)} becomes "
            f"{cell_text(becomes)} in the text ({count:,} cells alike), and would stay as it is among other patients "
            f"with a letter in one cell; {column}{RAW_SUFFIX} is the text as written, always"
        ]

    def _check_order(self, base: BaseTable, expression: RowExpression, what: str, field: str) -> None:
        """Refuses ``<`` and the like of a text column that is mostly numbers or times: texts would be compared."""
        for column in base.types:
            mixed = self._mixed.get((base.name, column))
            if mixed and column.lower() in {name.lower() for name in expression.ordered}:
                raise SpecError(
                    f"{what}, {field} = {expression.text!r}: column {column!r} would be compared as text, as {mixed}. "
                    f"TRY_CAST({column} AS DOUBLE) or TRY_CAST({column} AS TIMESTAMP) reads those, strptime other "
                    f"forms; {column}{RAW_SUFFIX} is the text, if that is meant"
                )

    def _typed(self, base: BaseTable, typing: Mapping[str, str], derived: Iterable[str]) -> str:
        """The base table, cleaned, with mentioned text columns typed and beside them their text.

        For the user the text goes by the column's name and :data:`RAW_SUFFIX`, unless a column of theirs does so.
        """
        taken = {name.casefold() for name in (*base.types, *derived)}
        inner = [f"{base.row_number} AS {ROW}"]
        for column, kind in base.types.items():
            clean = quoted(column) if base.clean and kind == "VARCHAR" else cleaned_column(quoted(column), kind)
            typed = typing.get(column, "VARCHAR")
            inner.append(f"{clean if typed == 'VARCHAR' else f'TRY_CAST({clean} AS {typed})'} AS {quoted(column)}")
            if column in typing:
                inner.append(f"{clean} AS {quoted(raw_column(column))}")
                if (column + RAW_SUFFIX).casefold() not in taken:
                    inner.append(f"{clean} AS {quoted(column + RAW_SUFFIX)}")
        return f"SELECT {', '.join(inner)} FROM {base.name}"

    def _bind(
        self,
        sql: str,
        query: str,
        what: str,
        field: str,
        expression: RowExpression,
        known: Sequence[str],
        typing: Mapping[str, str],
    ) -> None:
        """Checks the names of an expression, and lets DuckDB check the rest without running it."""
        try:
            expression.check_columns([*known, *(column + RAW_SUFFIX for column in typing)])
            self._check_zones(query, expression)
            self.database.check(f"SELECT {sql} FROM ({query})")
        except (duckdb.Error, SpecError) as error:
            reason = str(error).split("\n")[0].rstrip(".")
            if "explicit cast" in reason:
                reason += " (a column holds text beside numbers; TRY_CAST(column AS DOUBLE) reads its numbers)"
            raise SpecError(
                f"{what}, {field} = {expression.text!r}: {reason}. Columns: {shown(sorted(set(known)), 20)}"
            ) from None

    def _check_zones(self, query: str, expression: RowExpression) -> None:
        """Refuses times with a zone beside local ones in one expression, or cast to such, unless it says the zone."""
        read = {name.lower() for name in expression.columns}
        kinds = {name: kind for name, kind in self.database.types_of(query).items() if name.lower() in read}
        zoned = [name for name, kind in kinds.items() if kind == ZONED]
        local = [name for name, kind in kinds.items() if kind.startswith("TIMESTAMP") and kind != ZONED]
        says_zone = re.search(r"\btimezone\b|\btime\s+zone\b|\btimestamptz\b", expression.text, re.IGNORECASE)
        if zoned and not says_zone and _LOSES_ZONE.search(expression.text):
            raise SpecError(
                f"column {zoned[0]!r} holds times with an offset from UTC, and as TIMESTAMP they have none: hours "
                f"would be lost beside local times. timezone('Europe/Berlin', {zoned[0]}) is the local time, "
                f"timezone('UTC', {zoned[0]}) that of UTC; {zoned[0]} itself keeps the offset"
            )
        if zoned and local and not says_zone:
            raise SpecError(
                f"column {zoned[0]!r} holds times with an offset from UTC and {local[0]!r} holds none with one: hours "
                f"would be lost. timezone('Europe/Berlin', {zoned[0]}) is the local time"
            )

    def _typed_as(self, base: BaseTable, column: str) -> str:
        """The type that every value of a text column can be read as; :data:`BLANK` when it has none."""
        key = (base.name, column)
        if key not in self._looks:
            value = quoted(column)
            cell = cleaned(value)
            with self.database.reading(base.label):
                measured, integers, numbers, times, zoned, dates, other = self.database.rows(
                    f"SELECT count({value}), count(*) FILTER (WHERE {looks_integer(value)}), "
                    f"count(*) FILTER (WHERE {looks_number(value)}), count(*) FILTER (WHERE {looks_timestamp(value)}), "
                    f"count(*) FILTER (WHERE {looks_zoned(value)}), "
                    f"count(*) FILTER (WHERE {looks_like_a_date(value)}), min({value}) FILTER (WHERE NOT "
                    f"{looks_number(value)} AND NOT {looks_timestamp(value)} AND NOT {looks_zoned(value)}) "
                    f"FROM (SELECT {cell} AS {value} FROM {base.name})"
                )[0]
            kinds = [("BIGINT", integers), ("DOUBLE", numbers), ("TIMESTAMP", times), (ZONED, zoned)]
            self._looks[key] = (
                next((kind for kind, count in kinds if count == measured), "VARCHAR") if measured else BLANK
            )
            if self._looks[key] == "VARCHAR" and measured < 2 * dates and other is not None:
                self._mixed[key] = f"{dates} of its {measured} cells begin like dates, but not all can be read"
                self._mixed[key] += f", e.g. {cell_text(other)}"
            for words, count in (("numbers", numbers), ("timestamps", times + zoned)):
                if measured < 2 * count and self._looks[key] == "VARCHAR":
                    rest = f", e.g. {cell_text(other)}" if other is not None else " (zones on some only)"
                    self._mixed[key] = f"{count} of its {measured} cells are {words}, the others not{rest}"
        return self._looks[key]


def _admitted(text: str, what: str, field: str) -> RowExpression:
    try:
        return row_expression(text)
    except SpecError as error:
        raise SpecError(f"{what}, {field} = {text!r}: {error}") from None
