"""Tables of a database that is one file, DuckDB or SQLite: ``source = "warehouse.duckdb::labs"`` in a spec."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from gdsfd.cohort.sources.path_variables import expand_variables
from gdsfd.cohort.sources.sql_text import quoted
from gdsfd.errors import InputError, near_names

__all__ = ["SEPARATOR", "DatabaseTable", "database_kind", "find_table", "is_database_table", "tables_of"]

SEPARATOR = "::"  #: between the file and the table
_ROWS = 50_000  #: of SQLite, at a time
_SYSTEM = ("information_schema", "pg_catalog")


@dataclass(frozen=True)
class DatabaseTable:
    """One table.

    Args:
        path: The database's file.
        table: Its table, ``schema.table`` outside the main schema.
        kind: ``"duckdb"`` or ``"sqlite"``.
    """

    path: str
    table: str
    kind: str

    @property
    def label(self) -> str:
        """The table in a word, for messages."""
        return f"{os.path.basename(self.path)}{SEPARATOR}{self.table}"

    def reader(self, limit: int | None = None) -> pa.RecordBatchReader:
        """The table's rows, piece by piece.

        Args:
            limit: The most rows; default: all.

        Raises:
            InputError: The database cannot be read.
        """
        query = f"SELECT * FROM {'.'.join(map(quoted, self.table.split('.', 1)))}"
        query += "" if limit is None else f" LIMIT {limit}"
        try:
            return _duckdb_rows(self.path, query) if self.kind == "duckdb" else _sqlite_rows(self.path, query)
        except (duckdb.Error, sqlite3.Error) as error:
            raise InputError(f"{self.label} cannot be read: {str(error).splitlines()[0]}") from None


def is_database_table(source: Any) -> bool:
    """Whether a source names a table of a database's file.

    Example:
        >>> is_database_table("warehouse.duckdb::labs"), is_database_table("labs.csv")
        (True, False)
    """
    return isinstance(source, str) and SEPARATOR in source


def database_kind(path: str | Path) -> str | None:
    """``"duckdb"`` or ``"sqlite"`` where a file is one, told by its first bytes; else None."""
    try:
        with open(path, "rb") as stream:
            begin = stream.read(16)
    except OSError:
        return None
    return "sqlite" if begin == b"SQLite format 3\x00" else "duckdb" if begin[8:12] == b"DUCK" else None


def find_table(source: str, base_dir: Path) -> DatabaseTable:
    """The table that a source means.

    Args:
        source: ``file::table``, the file relative to ``base_dir`` unless absolute; variables as in other paths.
        base_dir: The spec's folder.

    Raises:
        SpecError: A variable is not set.
        InputError: No such file, no database, or no such table.
    """
    file, _, table = expand_variables(source).rpartition(SEPARATOR)
    path = os.path.join(base_dir, os.path.expanduser(file))
    if not os.path.isfile(path):
        folder = os.path.dirname(path)
        near = near_names(os.path.basename(path), os.listdir(folder)) if os.path.isdir(folder) else ""
        raise InputError(f"the database {path} does not exist (source {source!r}).{near}")
    kind = database_kind(path)
    if kind is None:
        raise InputError(
            f"{path} is neither a DuckDB nor an SQLite database (source {source!r}); of other databases export the "
            "table as Parquet or CSV"
        )
    known = tables_of(path)
    if table not in known:
        raise InputError(f"{path} has no table {table!r} (source {source!r}).{near_names(table, known)}")
    return DatabaseTable(os.path.abspath(path), table, kind)


def tables_of(path: str | Path) -> list[str]:
    """The names of a database's tables and views, in order.

    Args:
        path: Its file.

    Raises:
        InputError: It cannot be opened.
    """
    try:
        if database_kind(path) == "sqlite":
            with closing(_sqlite(str(path))) as connection:
                query = "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%'"
                return sorted(str(row[0]) for row in connection.execute(query))
        with _duckdb(str(path)) as connection:
            found = connection.execute("SELECT table_schema, table_name FROM information_schema.tables").fetchall()
            own = [(schema, name) for schema, name in found if schema not in _SYSTEM]
            return sorted(name if schema == "main" else f"{schema}.{name}" for schema, name in own)
    except (duckdb.Error, sqlite3.Error) as error:
        raise InputError(f"the database {path} cannot be opened: {str(error).splitlines()[0]}") from None


def _duckdb(path: str) -> duckdb.DuckDBPyConnection:
    settings: dict[str, str | bool | int | float | list[str]] = {
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
    }
    return duckdb.connect(path, read_only=True, config=settings)


def _sqlite(path: str) -> sqlite3.Connection:
    return sqlite3.connect(f"{Path(path).absolute().as_uri()}?mode=ro", uri=True, check_same_thread=False)


def _duckdb_rows(path: str, query: str) -> pa.RecordBatchReader:
    connection = _duckdb(path)
    connection.execute("SET enable_external_access = false")  # a view could name other files
    described = connection.execute(f"DESCRIBE {query}").fetchall()
    named = [  # an enumeration is text to everybody but the database
        f"CAST({quoted(name)} AS VARCHAR) AS {quoted(name)}" if str(kind).startswith("ENUM") else quoted(name)
        for name, kind, *_ in described
    ]
    read: Any = connection.sql(f"SELECT {', '.join(named)} FROM ({query})")
    return read.to_arrow_reader(_ROWS) if hasattr(read, "to_arrow_reader") else read.fetch_record_batch(_ROWS)


def _sqlite_rows(path: str, query: str) -> pa.RecordBatchReader:
    """SQLite's cells have types, its columns only intentions: a column is of the type that all its cells have."""
    connection = _sqlite(path)
    connection.text_factory = lambda raw: raw.decode("utf-8", errors="replace")
    names = [column[0] for column in connection.execute(f"SELECT * FROM ({query}) LIMIT 0").description]
    kinds = ", ".join(f"group_concat(DISTINCT typeof({quoted(name)}))" for name in names)
    found = connection.execute(f"SELECT {kinds} FROM ({query})").fetchone()
    schema = pa.schema([pa.field(name, _type_of(str(kind or ""))) for name, kind in zip(names, found)])

    def pieces() -> Iterator[pa.RecordBatch]:
        with closing(connection):
            cursor = connection.execute(query)
            while rows := cursor.fetchmany(_ROWS):
                columns = [
                    pa.array([_as(cell, field.type) for cell in cells], field.type)
                    for cells, field in zip(zip(*rows), schema)
                ]
                yield pa.RecordBatch.from_arrays(columns, schema=schema)

    return pa.RecordBatchReader.from_batches(schema, pieces())


def _type_of(kinds: str) -> pa.DataType:
    held = set(kinds.split(",")) - {"null", ""}
    if held == {"integer"}:
        return pa.int64()
    if held and held <= {"integer", "real"}:
        return pa.float64()
    return pa.binary() if held == {"blob"} else pa.string()


def _as(cell: Any, kind: pa.DataType) -> Any:
    if cell is None or not pa.types.is_string(kind):
        return cell
    return cell.hex() if isinstance(cell, bytes) else str(cell)
