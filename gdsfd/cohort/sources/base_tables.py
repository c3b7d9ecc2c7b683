"""CSV, Parquet, DataFrames and Ibis tables as base tables of the database.

Text stays text: every column of a CSV file is read as text, trimmed, with blank as null, so that the id ``001`` stays
``001``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import ibis
import pandas as pd
import pyarrow as pa

from gdsfd.cohort.sources.blank_columns import BlankColumns
from gdsfd.cohort.sources.column_names import checked_names
from gdsfd.cohort.sources.csv_text import CsvText, header_of, ready_csv
from gdsfd.cohort.sources.database import Database
from gdsfd.cohort.sources.database_file import find_table, is_database_table
from gdsfd.cohort.sources.files import FileSet, find_files
from gdsfd.cohort.sources.frame_source import arrow_of_frame, plain_arrow
from gdsfd.cohort.sources.internal_names import POSITION, check_names, clashing
from gdsfd.cohort.sources.line_ends import LineEnds
from gdsfd.cohort.sources.parquet_columns import DURATIONS, parquet_columns
from gdsfd.cohort.sources.remote_source import refuse_remote
from gdsfd.cohort.sources.sql_text import cleaned, quoted, string_literal
from gdsfd.cohort.spec.column_needs import ColumnNeeds, source_key
from gdsfd.errors import InputError, SpecError, shown

__all__ = ["DUPLICATES_UP_TO_ROWS", "BaseTable", "BaseTables", "files_of"]

#: The column that DuckDB adds to the rows of Parquet files on demand.
_ROW_OF_FILE = "file_row_number"
#: Bytes of a line that DuckDB takes without being told.
_LINE_BYTES = 2_000_000
#: Rows up to which fully repeated rows are counted; beyond, the count would cost more than the reading.
DUPLICATES_UP_TO_ROWS = 5_000_000


@dataclass(frozen=True)
class BaseTable:
    """A source in the database.

    Args:
        name: Its table or view.
        types: Columns and their DuckDB types. Of what is copied, these are the columns that the spec can use.
        columns: All columns of the source.
        label: What messages call it.
        files: What the receipt lists.
        rows: Number of rows.
        row_number: SQL of a row's position in the source.
        duplicates: Rows that repeat another row in full; None = not counted.
        clean: Whether text is trimmed already and blanks are null.
    """

    name: str
    types: dict[str, str]
    columns: tuple[str, ...]
    label: str
    files: tuple[str, ...]
    rows: int
    row_number: str
    duplicates: int | None
    clean: bool = False


class BaseTables:
    """Opens each source once.

    Columns that the spec cannot use never reach the disk, and repeated rows are told by a number that stands for the
    whole row (64 bits), so that they can be counted without them.

    Args:
        database: Where tables go.
        base_dir: Folder that relative paths start from.
        needs: What each source is asked for (:func:`~gdsfd.cohort.spec.column_needs.needs_of_spec`).

    Attributes:
        line_ends: How the CSV files that were read end.
        blank_columns: What some of a source's Parquet files have not.
    """

    def __init__(self, database: Database, base_dir: Path, needs: dict[Any, ColumnNeeds]) -> None:
        self.database = database
        self.base_dir = base_dir
        self.needs = needs
        self.line_ends = LineEnds()
        self.blank_columns = BlankColumns()
        self._opened: dict[Any, BaseTable] = {}
        self._meant: dict[Any, tuple[str, ...] | None] = {}

    def open(self, source: Any, what: str, in_order: bool = False) -> BaseTable:
        """Opens a source, or hands out what was opened before.

        Args:
            source: Path, glob, DataFrame, Arrow table or Ibis table.
            what: Where the spec names it, for messages: ``"modality 'labs'"``.
            in_order: Copy Parquet files, so that row numbers run through all of them.

        Raises:
            InputError: The source cannot be read.
            SpecError: The source is of a type that is not read.
        """
        refuse_remote(source, what)
        if is_database_table(source):
            key: Any = source
            if key not in self._opened:
                self._opened[key] = self._of_database(source)
        elif isinstance(source, (str, Path)):
            files = find_files(source, self.base_dir)
            key = (files.paths, in_order and files.parquet)
            if key not in self._opened:
                self._opened[key] = self._parquet(files, in_order) if files.parquet else self._csv(files)
        else:
            key = id(source)
            if key not in self._opened:
                self._opened[key] = self._python(source, what)
        return self._opened[key]

    def _csv(self, files: FileSet) -> BaseTable:
        columns = header_of(files.paths[0], files.names[0]).columns
        for path, label in zip(files.paths[1:], files.names[1:]):
            if sorted(header_of(path, label).columns) != sorted(columns):
                differing = sorted(set(header_of(path, label).columns) ^ set(columns))
                raise InputError(
                    f"{label} and {files.names[0]} differ in columns {shown(differing)}; one source needs one layout"
                )
        wanted, whole = self._wanted(columns, files), _free("whole row", columns)
        name = self.database.new_name("csv")
        for path, label in zip(files.paths, files.names):
            text = ready_csv(path, label, self.database.folder)
            self.line_ends.add(label, path, text.survey)
            query = _reading(text, columns, wanted, whole)
            first = path == files.paths[0]
            with self.database.reading(label):
                before = 0 if first else self.database.count(name)
                self.database.run(f"CREATE TABLE {name} AS {query}" if first else f"INSERT INTO {name} {query}")
                read = self.database.count(name) - before
            text.close()
            if read != text.rows:
                raise InputError(
                    f"{label} has {text.rows:,} records below its header, but {read:,} could be read; look for quotes "
                    "that are not closed or stand inside a cell, and for line breaks outside quotes"
                )
        return self._copied(name, columns, whole, files.label, files.names)

    def _wanted(self, columns: Sequence[str], files: FileSet | None = None, source: Any = None) -> list[str]:
        """The columns that any entry of the spec which means this source can use."""
        if files is None:
            asked = [needs for key, needs in self.needs.items() if key == source_key(source)]
        else:
            asked = [needs for key, needs in self.needs.items() if self._paths(key) == files.paths]
        among = frozenset(columns)
        wanted = [column for column in columns if not asked or any(needs.wants(column, among) for needs in asked)]
        return wanted or list(columns[:1])  # none: what is missing is reported where it is asked for

    def _paths(self, key: Any) -> tuple[str, ...] | None:
        """The files that an entry of the spec means; None for what is no path or means none; its opening tells."""
        if key not in self._meant:
            self._meant[key] = None
            with suppress(InputError):
                self._meant[key] = find_files(key, self.base_dir).paths if isinstance(key, str) else None
        return self._meant[key]

    def _parquet(self, files: FileSet, in_order: bool) -> BaseTable:
        given = parquet_columns(files)
        table = self.database.new_name("parquet")
        # By name: a column then has a type that holds every file's values. Otherwise those of the first file would be
        # forced on the others, and 1.7 of a second file would be 2 where the first has whole numbers.
        paths = "[" + ", ".join(string_literal(path) for path in files.paths) + "], union_by_name=true"
        with self.database.reading(files.label):
            found = list(self.database.types_of(f"SELECT * FROM read_parquet({paths})"))
            # Columns that only the folders' names tell (site=A/labs.parquet) come last.
            names = checked_names([*given.names, *found[len(given.names) :]], files.label)
            # The rows of several files have numbers of their own only in a copy.
            in_order = in_order or len(files.paths) > 1 or clashing(names, _ROW_OF_FILE) is not None
            check_names(names, files.label)
            whole = _free("whole row", [*found, *names])
            ours = dict(zip(names, found))
            wanted = self._wanted(names, files) if in_order else names
            self.blank_columns.add(files, set(wanted))
            units = dict(zip(names, map(given.durations.get, given.names)))
            read = {name: DURATIONS.get(units.get(name) or "", "{0}") for name in wanted}
            selected = ", ".join(f"{read[name].format(quoted(ours[name]))} AS {quoted(name)}" for name in wanted)
            if in_order:
                rows = int(self.database.rows(f"SELECT count(*) FROM read_parquet({paths})")[0][0])
                number = f", hash({quoted(whole)}) AS {quoted(whole)}" if rows <= DUPLICATES_UP_TO_ROWS else ""
                self.database.run(
                    f"CREATE TABLE {table} AS SELECT {selected}{number} FROM read_parquet({paths}) {quoted(whole)}"
                )
                return self._copied(table, names, whole if number else None, files.label, files.names)
            self.database.run(
                f"CREATE VIEW {table} AS SELECT {selected}, {_ROW_OF_FILE} "
                f"FROM read_parquet({paths}, {_ROW_OF_FILE}=true)"
            )
            types, rows = self.database.types(table), self.database.count(table)
            types.pop(_ROW_OF_FILE)
            count = f"count(DISTINCT hash({quoted(whole)})) FROM read_parquet({paths}) {quoted(whole)}"
            duplicates = self._duplicates(count, rows)
        return BaseTable(table, types, tuple(names), files.label, files.names, rows, _ROW_OF_FILE, duplicates)

    def _of_database(self, source: str) -> BaseTable:
        found = find_table(source, self.base_dir)
        rows = found.reader()
        columns = list(rows.schema.names)
        if list(checked_names(columns, found.label)) != columns:
            raise InputError(f"{found.label}: column names may not begin or end with a blank; rename them in a view")
        name = self.database.new_name("frame")
        whole = _free("whole row", columns)
        with self.database.reading(found.label):
            self.database.store(name, rows, self._wanted(columns, source=source), whole)
            return self._copied(name, columns, whole, found.label, (found.label,))

    def _python(self, source: Any, what: str) -> BaseTable:
        label = f"the {type(source).__name__} of {what}"
        if isinstance(source, pd.DataFrame):
            arrow = arrow_of_frame(source, label)
        elif isinstance(source, pa.Table):
            arrow = plain_arrow(source, label)
        elif isinstance(source, ibis.Table):
            with self.database.reading(label):
                arrow = plain_arrow(_fetched(source, label), label)
        else:
            raise SpecError(
                f"{what}: source must be a path, a glob, a DataFrame or an Ibis table, got {type(source).__name__}"
            )
        name = self.database.new_name("frame")
        columns = list(arrow.schema.names)
        whole = _free("whole row", columns)
        with self.database.reading(label):
            self.database.store(name, arrow, self._wanted(columns, source=source), whole)
            return self._copied(name, columns, whole, label, (f"<{type(source).__name__}>",))

    def _copied(
        self, name: str, columns: Sequence[str], whole: str | None, label: str, files: tuple[str, ...]
    ) -> BaseTable:
        """A source that was copied into a table, once its repeated rows are counted by the numbers of whole rows, if it
        has these.
        """
        check_names(columns, label)
        rows, duplicates = self.database.count(name), None
        if whole is not None:
            duplicates = self._duplicates(f"count(DISTINCT {quoted(whole)}) FROM {name}", rows)
            self.database.run(f"ALTER TABLE {name} DROP COLUMN {quoted(whole)}")
        types, clean, row_number = self.database.types(name), name.startswith("csv"), "rowid"
        if clashing(types, "rowid"):  # it would stand for the database's row numbers
            numbered = self.database.new_name("numbered")
            self.database.run(f"CREATE TABLE {numbered} AS SELECT *, row_number() OVER () AS {POSITION} FROM {name}")
            self.database.run(f"DROP TABLE {name}")
            name, row_number = numbered, POSITION
        return BaseTable(name, types, tuple(columns), label, files, rows, row_number, duplicates, clean=clean)

    def _duplicates(self, different: str, rows: int) -> int | None:
        return rows - int(self.database.rows(f"SELECT {different}")[0][0]) if rows <= DUPLICATES_UP_TO_ROWS else None


def _fetched(source: ibis.Table, label: str) -> pa.Table:
    """The rows of an Ibis table, wherever they lie; what its database says is told with the source."""
    try:
        return source.to_pyarrow()
    except duckdb.Error:
        raise
    except Exception as error:  # every database has errors of its own
        said = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
        raise InputError(f"{label} cannot be read: its database says: {said[:200]}") from error


def _free(name: str, taken: Sequence[str]) -> str:
    """A name that no column has, whatever its case."""
    while clashing(taken, name):
        name += "_"
    return name


def files_of(needs: Iterable[Any], base_dir: Path) -> list[str]:
    """The files that the paths of a spec mean; those that mean none are reported when they are opened.

    Args:
        needs: The keys of a spec's sources; paths as written are among them.
        base_dir: Folder that relative paths start from.
    """
    found: dict[str, None] = {}
    for path in (key for key in needs if isinstance(key, str)):
        with suppress(InputError):
            found.update(dict.fromkeys(find_files(path, base_dir).paths))
    return list(found)


def _reading(text: CsvText, columns: Sequence[str], wanted: Sequence[str], whole: str) -> str:
    """A query that reads a CSV file: every column as text, trimmed, with blank as null; and the number of each row.

    Args:
        text: The file.
        columns: All columns of the source, in the order that the number of a row depends on.
        wanted: Those that are read.
        whole: Name of the number.
    """
    selected = ", ".join(f"{cleaned(quoted(column))} AS {quoted(column)}" for column in wanted)
    types = ", ".join(f"{string_literal(column)}: 'VARCHAR'" for column in text.header.columns)
    newline = text.newline.encode("unicode_escape").decode()
    longest = f", max_line_size={text.survey.longest + 2}" if text.survey.longest >= _LINE_BYTES else ""
    read = (
        f"read_csv({string_literal(text.path)}, columns={{{types}}}, auto_detect=false, "
        f"header=true, "
        f"compression='{'gzip' if text.gzipped else 'none'}', delim={string_literal(text.header.delimiter)}, "
        f"quote='\"', escape='\"', nullstr='', new_line={string_literal(newline)}{longest})"
    )
    if list(text.header.columns) != list(columns):
        read = f"(SELECT {', '.join(map(quoted, columns))} FROM {read})"
    return f"SELECT {selected}, hash({quoted(whole)}) AS {quoted(whole)} FROM {read} {quoted(whole)}"
