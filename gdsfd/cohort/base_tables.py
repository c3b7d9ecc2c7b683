"""CSV, Parquet, DataFrames and Ibis tables as base tables of the database.

Text stays text: every column of a CSV file is read as text, trimmed, with blank as null, so that the id ``001`` stays
``001``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ibis
import pandas as pd
import pyarrow as pa

from gdsfd.cohort.column_names import checked_names
from gdsfd.cohort.column_needs import ColumnNeeds
from gdsfd.cohort.csv_text import CsvText, header_of, ready_csv
from gdsfd.cohort.database import Database
from gdsfd.cohort.files import FileSet, find_files
from gdsfd.cohort.frame_source import arrow_of_frame, plain_arrow
from gdsfd.cohort.internal_names import POSITION, check_names, clashing
from gdsfd.cohort.parquet_names import parquet_names
from gdsfd.cohort.sql_text import cleaned, quoted, string_literal
from gdsfd.errors import InputError, SpecError, shown

__all__ = ["BaseTable", "BaseTables"]

#: CSV files beyond this size (bytes on disk) are copied without the columns that the spec cannot use.
_WHOLE_UP_TO_BYTES = 256 << 20
#: The column that DuckDB adds to the rows of Parquet files on demand.
_ROW_OF_FILE = "file_row_number"
#: Bytes of a line that DuckDB takes without being told.
_LINE_BYTES = 2_000_000
#: Rows up to which fully repeated rows are counted; beyond, the count would cost more than the reading.
_DUPLICATES_UP_TO_ROWS = 5_000_000


@dataclass(frozen=True)
class BaseTable:
    """A source in the database.

    Args:
        name: Its table or view.
        types: Columns and their DuckDB types.
        label: What messages call it.
        files: What the receipt lists.
        rows: Number of rows.
        row_number: SQL of a row's position in the source.
        duplicates: Rows that repeat another row in full; None = not counted.
        clean: Whether text is trimmed already and blanks are null.
    """

    name: str
    types: dict[str, str]
    label: str
    files: tuple[str, ...]
    rows: int
    row_number: str
    duplicates: int | None
    clean: bool = False


class BaseTables:
    """Opens each source once.

    Args:
        database: Where tables go.
        base_dir: Folder that relative paths start from.
        needs: What each path is asked for (:func:`~gdsfd.cohort.column_needs.needs_of_spec`).
    """

    def __init__(self, database: Database, base_dir: Path, needs: dict[str, ColumnNeeds]) -> None:
        self.database = database
        self.base_dir = base_dir
        self.needs = needs
        self._opened: dict[Any, BaseTable] = {}

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
        if isinstance(source, (str, Path)):
            files = find_files(source, self.base_dir)
            key: Any = (files.paths, in_order and files.parquet)
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
        wanted = [column for column in columns if files.bytes <= _WHOLE_UP_TO_BYTES or self._wants(files, column)]
        name = self.database.new_name("csv")
        for path, label in zip(files.paths, files.names):
            text = ready_csv(path, label, self.database.folder)
            query = _reading(text, wanted)
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
        return self._described(name, files.label, files.names, "rowid", whole=len(wanted) == len(columns))

    def _wants(self, files: FileSet, column: str) -> bool:
        """Whether any entry of the spec that means these files can use a column."""
        asked = [needs for path, needs in self.needs.items() if self._means(path, files)]
        return not asked or any(needs.wants(column) for needs in asked)

    def _means(self, path: str, files: FileSet) -> bool:
        try:
            return find_files(path, self.base_dir).paths == files.paths
        except InputError:  # another source; its own opening reports it
            return False

    def _parquet(self, files: FileSet, in_order: bool) -> BaseTable:
        given = parquet_names(files)
        name = self.database.new_name("parquet")
        paths = "[" + ", ".join(string_literal(path) for path in files.paths) + "]"
        with self.database.reading(files.label):
            found = [str(row[0]) for row in self.database.rows(f"DESCRIBE SELECT * FROM read_parquet({paths})")]
            # Columns that only the folders' names tell (site=A/labs.parquet) come last.
            names = checked_names([*given, *found[len(given) :]], files.label)
            selected = ", ".join(f"{quoted(theirs)} AS {quoted(ours)}" for theirs, ours in zip(found, names))
            in_order = in_order or clashing(names, _ROW_OF_FILE) is not None
            if in_order:
                self.database.run(f"CREATE TABLE {name} AS SELECT {selected} FROM read_parquet({paths})")
            else:
                self.database.run(
                    f"CREATE VIEW {name} AS SELECT {selected}, {_ROW_OF_FILE} "
                    f"FROM read_parquet({paths}, {_ROW_OF_FILE}=true)"
                )
            return self._described(name, files.label, files.names, "rowid" if in_order else _ROW_OF_FILE)

    def _python(self, source: Any, what: str) -> BaseTable:
        label = f"the {type(source).__name__} of {what}"
        if isinstance(source, pd.DataFrame):
            arrow = arrow_of_frame(source, label)
        elif isinstance(source, pa.Table):
            arrow = plain_arrow(source, label)
        elif isinstance(source, ibis.Table):
            with self.database.reading(label):
                arrow = plain_arrow(source.to_pyarrow(), label)
        else:
            raise SpecError(
                f"{what}: source must be a path, a glob, a DataFrame or an Ibis table, got {type(source).__name__}"
            )
        name = self.database.new_name("frame")
        with self.database.reading(label):
            self.database.store(name, arrow)
        return self._described(name, label, (f"<{type(source).__name__}>",), "rowid")

    def _described(
        self, name: str, label: str, files: tuple[str, ...], row_number: str, whole: bool = True
    ) -> BaseTable:
        types, clean = self.database.types(name), name.startswith("csv")
        if row_number == _ROW_OF_FILE:
            types.pop(_ROW_OF_FILE)
        check_names(types, label)
        if row_number == "rowid" and clashing(types, "rowid"):  # it would stand for the database's row numbers
            numbered = self.database.new_name("numbered")
            self.database.run(f"CREATE TABLE {numbered} AS SELECT *, row_number() OVER () AS {POSITION} FROM {name}")
            self.database.run(f"DROP TABLE {name}")
            name, row_number = numbered, POSITION
        rows = self.database.count(name)
        duplicates = None
        if whole and rows <= _DUPLICATES_UP_TO_ROWS:
            columns = ", ".join(quoted(column) for column in types)
            query = f"SELECT count(*) FROM (SELECT DISTINCT {columns} FROM {name})"
            with self.database.reading(label):
                duplicates = rows - int(self.database.rows(query)[0][0])
        return BaseTable(name, types, label, files, rows, row_number, duplicates, clean=clean)


def _reading(text: CsvText, wanted: Sequence[str]) -> str:
    """A query that reads a CSV file: every column as text, trimmed, with blank as null."""
    selected = ", ".join(f"{cleaned(quoted(column))} AS {quoted(column)}" for column in wanted)
    types = ", ".join(f"{string_literal(column)}: 'VARCHAR'" for column in text.header.columns)
    newline = text.newline.encode("unicode_escape").decode()
    longest = f", max_line_size={text.survey.longest + 2}" if text.survey.longest >= _LINE_BYTES else ""
    return (
        f"SELECT {selected} FROM read_csv({string_literal(text.path)}, columns={{{types}}}, auto_detect=false, "
        f"header=true, "
        f"compression='{'gzip' if text.gzipped else 'none'}', delim={string_literal(text.header.delimiter)}, "
        f"quote='\"', escape='\"', nullstr='', new_line={string_literal(newline)}{longest})"
    )
