"""Opening exports: CSV, Parquet, DataFrames and Ibis tables as tables of one embedded DuckDB database.

Text stays text: every column of a CSV file is read as text, trimmed, with blank as null, so that the id ``001`` stays
``001``. Only the user's SQL (``where``, ``derive``) sees columns typed by their content.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import ibis
import pandas as pd
import pyarrow as pa

from gdsfd.cohort.files import FileSet, csv_header, find_files
from gdsfd.cohort.sql_text import (
    cleaned,
    has_word,
    looks_integer,
    looks_number,
    looks_timestamp,
    quoted,
    string_literal,
)
from gdsfd.errors import InputError, SpecError, near_names

__all__ = ["ROW", "Sources", "View"]

ROW = "__row"  #: position of a row in its source
KEEP = "__keep"  #: whether the user's ``where`` is true
RAW_SUFFIX = "__text"  #: a column as written, beside its typed self, for the user's SQL
#: Rows up to which fully repeated rows are counted; beyond, the count would cost more than the reading.
DUPLICATES_UP_TO = 5_000_000
_MEMORY_LIMIT_BYTES = 2 << 30


@dataclass(frozen=True)
class View:
    """A source as a reader sees it, with derived columns and the outcome of ``where``.

    Args:
        table: Columns of the source, cleaned, with :data:`ROW` and :data:`KEEP`.
        label: The source in a word, for messages.
        files: What the receipt lists.
        columns: Names of the source's columns, derived ones last.
        rows: Number of rows before any filter.
        duplicates: Rows that repeat another row in full.
        notes: For the receipt.
    """

    table: Any
    label: str
    files: list[str]
    columns: tuple[str, ...]
    rows: int
    duplicates: int
    notes: tuple[str, ...] = ()

    def require(self, column: str, field: str) -> str:
        """The column's name, or an InputError with near names.

        Args:
            column: Name as the user wrote it.
            field: The spec's field that names it, for the message.
        """
        if column not in self.columns:
            raise InputError(f"{self.label} has no column {column!r} ({field}).{near_names(column, self.columns)}")
        return column


@dataclass(frozen=True)
class _Relation:
    """A base table: its name in the database, its columns with DuckDB types, and where it comes from."""

    name: str
    types: dict[str, str]
    label: str
    files: list[str]
    rows: int
    whole: bool = True


class Sources:
    """The sources of one build, in a temporary on-disk database that goes when the block ends.

    Args:
        base_dir: Folder that relative paths start from.

    Example:
        >>> with Sources(Path()) as sources:
        ...     view = sources.open(pd.DataFrame({"id": ["001"], "wbc": [4.5]}), "a DataFrame")
        ...     view.rows, view.columns
        (1, ('id', 'wbc'))
    """

    def __init__(self, base_dir: Path) -> None:
        self.base_dir = Path(base_dir)
        self._opened: dict[Any, _Relation] = {}
        self._duplicates: dict[str, int] = {}
        self._looks: dict[tuple[str, str], str | None] = {}
        self._names = 0

    def __enter__(self) -> Sources:
        self._folder = tempfile.TemporaryDirectory(prefix="gdsfd-", ignore_cleanup_errors=True)
        self.con = ibis.duckdb.connect(
            os.path.join(self._folder.name, "cohort.duckdb"),
            memory_limit=f"{_MEMORY_LIMIT_BYTES >> 20}MiB",
            temp_directory=os.path.join(self._folder.name, "spill"),
            autoinstall_known_extensions=False,
        )
        return self

    def __exit__(self, *exception: object) -> None:
        self.con.disconnect()
        self._folder.cleanup()

    def open(
        self,
        source: Any,
        what: str,
        *,
        derive: Mapping[str, str] | None = None,
        where: str | None = None,
        joins: Sequence[Any] = (),
        materialise: bool = False,
    ) -> View:
        """Opens a source and lays the user's SQL over it.

        Args:
            source: Path, glob, DataFrame or Ibis table.
            what: Where the spec names it, for messages: ``"modality 'labs'"``.
            derive: New columns, name -> SQL.
            where: SQL filter; rows stay, :data:`KEEP` says which pass.
            joins: Look-ups put beside the rows (:class:`~gdsfd.cohort.spec.JoinSpec`).
            materialise: Copy Parquet into the database, so that :data:`ROW` is the order of the rows.

        Raises:
            InputError: The source cannot be read, or has not the columns named.
            SpecError: The SQL is wrong.
        """
        base = self._base(source, what, materialise)
        duplicates = self._count_duplicates(base)
        notes = [] if duplicates is not None else ["fully repeated rows were not counted: the source is large"]
        relation = base
        for join in joins:
            relation = self._joined(relation, join, what)
        view, columns = self._with_sql(relation, derive or {}, where, what)
        return View(self.con.table(view), base.label, base.files, columns, base.rows, duplicates or 0, tuple(notes))

    @contextmanager
    def reading(self, label: str) -> Iterator[None]:
        """Turns what DuckDB says about a broken file into an InputError that names the file."""
        try:
            yield
        except duckdb.Error as error:
            raise InputError(_explained(str(error), label)) from None

    def store(self, name: str, table: pa.Table) -> Any:
        """Puts an Arrow table into the database and returns it as an Ibis table.

        Args:
            name: A name that is not taken.
            table: What to store.
        """
        self.con.con.register(f"{name}_in", table)
        self._run(f"CREATE TABLE {quoted(name)} AS SELECT * FROM {quoted(f'{name}_in')}")
        self.con.con.unregister(f"{name}_in")
        return self.con.table(name)

    def batches(self, expression: Any, rows: int) -> Iterator[pa.RecordBatch]:
        """Runs an expression and hands out its result piece by piece, in order.

        Args:
            expression: An Ibis table expression over this database.
            rows: Rows per piece, about.
        """
        relation = self.con.con.sql(str(self.con.compile(expression)))
        # DuckDB 1.x has only fetch_record_batch, DuckDB 2 prefers to_arrow_reader
        yield from (
            relation.to_arrow_reader(rows)
            if hasattr(relation, "to_arrow_reader")
            else relation.fetch_record_batch(rows)
        )

    # -- base tables -------------------------------------------------------------------------------------------------

    def _base(self, source: Any, what: str, materialise: bool) -> _Relation:
        if isinstance(source, (str, Path)):
            files = find_files(source, self.base_dir)
            key: Any = (files.paths, materialise)
        else:
            files, key = None, id(source)
        if key not in self._opened:
            if files is None:
                self._opened[key] = self._from_python(source, what)
            else:
                self._opened[key] = self._from_parquet(files, materialise) if files.parquet else self._from_csv(files)
        return self._opened[key]

    def _from_csv(self, files: FileSet) -> _Relation:
        name = self._new_name("t")
        headers = [csv_header(path, label) for path, label in zip(files.paths, files.names)]
        columns = headers[0].columns
        for header, label in zip(headers, files.names):
            if sorted(header.columns) != sorted(columns):
                differing = set(header.columns) ^ set(columns)
                raise InputError(
                    f"{label} and {files.names[0]} have different columns: {sorted(differing)[:5]}; one source needs one layout"
                )
        parts = []
        for path, header in zip(files.paths, headers):
            types = ", ".join(f"{string_literal(column)}: 'VARCHAR'" for column in header.columns)
            selected = ", ".join(f"{cleaned(quoted(column))} AS {quoted(column)}" for column in columns)
            parts.append(
                f"SELECT {selected} FROM read_csv({string_literal(path)}, columns={{{types}}}, auto_detect=false, header=true, "
                f"delim={string_literal(header.delimiter)}, quote='\"', escape='\"', nullstr='', "
                f"new_line={string_literal(header.newline.encode('unicode_escape').decode())})"
            )
        with self.reading(files.label):
            self._run(f"CREATE TABLE {name} AS {' UNION ALL '.join(parts)}")
        return _Relation(name, dict.fromkeys(columns, "VARCHAR"), files.label, list(files.names), self._count(name))

    def _from_parquet(self, files: FileSet, materialise: bool) -> _Relation:
        name = self._new_name("t")
        paths = "[" + ", ".join(string_literal(path) for path in files.paths) + "]"
        with self.reading(files.label):
            read = f"SELECT * FROM read_parquet({paths}{'' if materialise else ', file_row_number=true'})"
            if materialise:
                self._run(f"CREATE TABLE {name} AS {read}")
            else:
                self._run(f"CREATE VIEW {name} AS {read}")
            types = self._types(name)
            rows = self._count(name)
        types.pop("file_row_number", None)
        return _Relation(name, types, files.label, list(files.names), rows)

    def _from_python(self, source: Any, what: str) -> _Relation:
        label = f"the {type(source).__name__} of {what}"
        if isinstance(source, pd.DataFrame):
            repeated = source.columns[source.columns.duplicated()]
            if len(repeated):
                raise InputError(f"{label}: column {repeated[0]!r} stands there more than once")
            arrow = _to_arrow(source, label)
        elif isinstance(source, pa.Table):
            arrow = source
        elif isinstance(source, ibis.Table):
            arrow = source.to_pyarrow_batches()
        else:
            raise SpecError(
                f"{what}: source must be a path, a glob, a DataFrame or an Ibis table, got {type(source).__name__}"
            )
        name = self._new_name("t")
        self.con.con.register(f"{name}_in", arrow)
        with self.reading(label):
            self._run(f"CREATE TABLE {name} AS SELECT * FROM {name}_in")
        self.con.con.unregister(f"{name}_in")
        return _Relation(name, self._types(name), label, [f"<{type(source).__name__}>"], self._count(name))

    # -- the user's SQL ----------------------------------------------------------------------------------------------

    def _joined(self, relation: _Relation, join: Any, what: str) -> _Relation:
        look_up = self._base(join.source, f"{what}, join", materialise=True)
        for table, column in [(relation, join.on), *((look_up, column) for column in [join.on, *join.columns])]:
            if column not in table.types:
                raise InputError(
                    f"{table.label} has no column {column!r} ({what}, join).{near_names(column, table.types)}"
                )
        key = f"CAST({quoted(join.on)} AS VARCHAR)"
        repeated = self._rows(
            f"SELECT {key}, count(*) FROM {look_up.name} WHERE {key} IS NOT NULL GROUP BY 1 HAVING count(*) > 1 ORDER BY 1 LIMIT 5"
        )
        if repeated:
            raise InputError(
                f"{look_up.label}: the key {join.on!r} of a join must be unique, but repeats for "
                f"{', '.join(repr(row[0]) for row in repeated)}; aggregate the look-up first"
            )
        taken = [column for column in join.columns if column in relation.types]
        if taken:
            raise InputError(f"{what}, join: {relation.label} already has a column {taken[0]!r}")
        name = self._new_name("j")
        columns = ", ".join(f"l.{quoted(column)}" for column in join.columns)
        self._run(
            f"CREATE TABLE {name} AS SELECT b.*, {columns} FROM {relation.name} b LEFT JOIN {look_up.name} l "
            f"ON CAST(b.{quoted(join.on)} AS VARCHAR) = CAST(l.{quoted(join.on)} AS VARCHAR) ORDER BY b.rowid"
        )
        types = {**relation.types, **{column: look_up.types[column] for column in join.columns}}
        return _Relation(name, types, relation.label, relation.files, relation.rows)

    def _with_sql(
        self, relation: _Relation, derive: Mapping[str, str], where: str | None, what: str
    ) -> tuple[str, tuple[str, ...]]:
        """A view of the columns as written, the derived columns, and whether each row passes ``where``."""
        row = "file_row_number" if self._is_view(relation.name) else "rowid"
        mentioned = [
            column
            for column in relation.types
            if any(has_word(column, text) for text in [*derive.values(), where or ""])
        ]
        inner = [f"{row} AS {ROW}"]
        for column, kind in relation.types.items():
            clean = cleaned_column(quoted(column), kind)
            if column in mentioned and kind == "VARCHAR":
                typed = self._typed_as(relation, column)
                inner.append(f"{clean if typed is None else f'TRY_CAST({clean} AS {typed})'} AS {quoted(column)}")
                inner.append(f"{clean} AS {quoted(column + RAW_SUFFIX)}")
            else:
                inner.append(f"{clean} AS {quoted(column)}")
        query = f"SELECT {', '.join(inner)} FROM {relation.name}"
        known = list(relation.types)
        for name, text in derive.items():
            self._bind(f"SELECT ({text}) FROM ({query})", what, f"derive.{name}", text, known)
            replaced = name in known
            query = (
                f"SELECT * {'REPLACE' if replaced else ','} (({text}) AS {quoted(name)}) FROM ({query})"
                if replaced
                else (f"SELECT *, ({text}) AS {quoted(name)} FROM ({query})")
            )
            known += [] if replaced else [name]
        if where is not None:
            self._bind(f"SELECT 1 FROM ({query}) WHERE ({where})", what, "where", where, known)
        outer = [ROW, f"{f'coalesce(CAST(({where}) AS BOOLEAN), false)' if where else 'true'} AS {KEEP}"]
        for column in known:
            as_written = column in mentioned and column not in derive and relation.types.get(column) == "VARCHAR"
            if as_written:
                outer.append(f"{quoted(column + RAW_SUFFIX)} AS {quoted(column)}")
            elif column in derive:
                outer.append(f"{self._cleaned_derived(query, column)} AS {quoted(column)}")
            else:
                outer.append(quoted(column))
        view = self._new_name("v")
        self._run(f"CREATE VIEW {view} AS SELECT {', '.join(outer)} FROM ({query})")
        return view, tuple(known)

    def _cleaned_derived(self, query: str, column: str) -> str:
        kind = str(self._rows(f"DESCRIBE SELECT {quoted(column)} FROM ({query})")[0][1])
        return cleaned_column(quoted(column), kind)

    def _bind(self, query: str, what: str, field: str, text: str, known: Sequence[str]) -> None:
        try:
            self._run(f"EXPLAIN {query}")
        except duckdb.Error as error:
            reason = str(error).split("\n")[0]
            raise SpecError(f"{what}, {field} = {text!r}: {reason}. Columns: {', '.join(sorted(known)[:20])}") from None

    def _typed_as(self, relation: _Relation, column: str) -> str | None:
        """The type that every value of a text column can be read as, or None: it is text."""
        key = (relation.name, column)
        if key not in self._looks:
            value = quoted(column)
            measured, integers, numbers, times = self._rows(
                f"SELECT count({value}), count(*) FILTER (WHERE {looks_integer(value)}), count(*) FILTER (WHERE {looks_number(value)}), "
                f"count(*) FILTER (WHERE {looks_timestamp(value)}) FROM {relation.name}"
            )[0]
            kinds = [("BIGINT", integers), ("DOUBLE", numbers), ("TIMESTAMP", times)]
            self._looks[key] = next((kind for kind, count in kinds if measured and count == measured), None)
        return self._looks[key]

    # -- small things ------------------------------------------------------------------------------------------------

    def _count_duplicates(self, relation: _Relation) -> int | None:
        if relation.rows > DUPLICATES_UP_TO or not relation.whole:
            return None
        if relation.name not in self._duplicates:
            columns = ", ".join(quoted(column) for column in relation.types)
            with self.reading(relation.label):
                distinct = self._rows(f"SELECT count(*) FROM (SELECT DISTINCT {columns} FROM {relation.name})")[0][0]
            self._duplicates[relation.name] = relation.rows - distinct
        return self._duplicates[relation.name]

    def _new_name(self, letter: str) -> str:
        self._names += 1
        return f"{letter}{self._names}"

    def _is_view(self, name: str) -> bool:
        return bool(self._rows(f"SELECT 1 FROM duckdb_views() WHERE view_name = '{name}'"))

    def _run(self, statement: str) -> None:
        self.con.con.execute(statement)

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        return self.con.con.execute(query).fetchall()

    def _types(self, name: str) -> dict[str, str]:
        return {row[0]: str(row[1]) for row in self._rows(f"DESCRIBE {name}")}

    def _count(self, name: str) -> int:
        return int(self._rows(f"SELECT count(*) FROM {name}")[0][0])


def cleaned_column(column: str, kind: str) -> str:
    """SQL of a column with blanks (text) and NaN (floats) as null, and rare types as text."""
    if kind == "VARCHAR" or kind.startswith(("ENUM", "UUID", "TIME")) and not kind.startswith("TIMESTAMP"):
        return cleaned(column if kind == "VARCHAR" else f"CAST({column} AS VARCHAR)")
    if kind in ("DOUBLE", "FLOAT"):
        return f"CASE WHEN isnan({column}) THEN NULL ELSE {column} END"
    if kind.startswith("TIMESTAMP"):
        return f"CAST({column} AS TIMESTAMP)"
    if kind == "HUGEINT" or kind.startswith("DECIMAL"):
        return f"CAST({column} AS DOUBLE)"
    return column


def _to_arrow(frame: pd.DataFrame, label: str) -> pa.Table:
    """A DataFrame as Arrow; object columns of mixed types become text."""
    named = frame.rename(columns=str)
    try:
        return pa.Table.from_pandas(named, preserve_index=False)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        mixed = {
            column: named[column].map(str, na_action="ignore")
            for column in named.columns
            if named[column].dtype == object
            and not named[column].map(lambda cell: hasattr(cell, "__len__")).any()
            or named[column].dtype == object
            and named[column].map(lambda cell: isinstance(cell, str)).any()
        }
        try:
            return pa.Table.from_pandas(named.assign(**mixed), preserve_index=False)
        except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
            raise InputError(f"{label} cannot be read: {error}") from None


def _explained(message: str, label: str) -> str:
    """DuckDB's message about a file, shortened to what happened and what to do."""
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    at = next((f" at line {line.split('Line:')[1].strip()}" for line in lines if "CSV Error on Line:" in line), "")
    lowered = message.lower()
    if "gzip" in lowered:
        return f"{label}: the .gz file breaks off or is damaged ({lines[0]}); copy it again"
    if "not utf-8" in lowered or "invalid unicode" in lowered:
        return f"{label} is not UTF-8{at}; convert it, e.g. iconv -f LATIN1 -t UTF-8 OLD > NEW"
    if "expected number of columns" in lowered:
        counts = next(line for line in lines if "Expected Number of Columns" in line)
        return f"{label}{at}: {counts[0].lower()}{counts[1:]}; a row has too many or too few fields (an unquoted delimiter?)"
    if "unterminated quote" in lowered:
        return f"{label}{at}: a quoted value is not closed"
    return f"{label}{at} cannot be read: {lines[0] if lines else message}"
