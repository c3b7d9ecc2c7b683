"""CSV, Parquet, DataFrames and Ibis tables as base tables of the database.

Text stays text: every column of a CSV file is read as text, trimmed, with blank as null, so that the id ``001`` stays
``001``.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ibis
import pandas as pd
import pyarrow as pa

from gdsfd.cohort.column_needs import ColumnNeeds
from gdsfd.cohort.database import Database
from gdsfd.cohort.files import FileSet, csv_header, find_files
from gdsfd.cohort.sql_text import cleaned, quoted, string_literal
from gdsfd.errors import InputError, SpecError

__all__ = ["BaseTable", "BaseTables"]

#: CSV files beyond this size (bytes on disk) are copied without the columns that the spec cannot use.
_WHOLE_UP_TO_BYTES = 256 << 20
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
        headers = [csv_header(path, label) for path, label in zip(files.paths, files.names)]
        columns = headers[0].columns
        for header, label in zip(headers, files.names):
            if sorted(header.columns) != sorted(columns):
                differing = sorted(set(header.columns) ^ set(columns))[:5]
                raise InputError(
                    f"{label} and {files.names[0]} differ in columns {differing}; one source needs one layout"
                )
        wanted = [column for column in columns if files.bytes <= _WHOLE_UP_TO_BYTES or self._wants(files, column)]
        selected = ", ".join(f"{cleaned(quoted(column))} AS {quoted(column)}" for column in wanted)
        parts = []
        for path, header in zip(files.paths, headers):
            types = ", ".join(f"{string_literal(column)}: 'VARCHAR'" for column in header.columns)
            parts.append(
                f"SELECT {selected} FROM read_csv({string_literal(path)}, columns={{{types}}}, auto_detect=false, "
                f"header=true, delim={string_literal(header.delimiter)}, quote='\"', escape='\"', nullstr='', "
                f"new_line={string_literal(header.newline.encode('unicode_escape').decode())})"
            )
        name = self.database.new_name("csv")
        with self.database.reading(files.label):
            self.database.run(f"CREATE TABLE {name} AS {' UNION ALL '.join(parts)}")
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
        name = self.database.new_name("parquet")
        paths = "[" + ", ".join(string_literal(path) for path in files.paths) + "]"
        with self.database.reading(files.label):
            if in_order:
                self.database.run(f"CREATE TABLE {name} AS SELECT * FROM read_parquet({paths})")
            else:
                self.database.run(f"CREATE VIEW {name} AS SELECT * FROM read_parquet({paths}, file_row_number=true)")
            return self._described(name, files.label, files.names, "rowid" if in_order else "file_row_number")

    def _python(self, source: Any, what: str) -> BaseTable:
        label = f"the {type(source).__name__} of {what}"
        if isinstance(source, pd.DataFrame):
            arrow: Any = _to_arrow(source, label)
        elif isinstance(source, pa.Table):
            arrow = source
        elif isinstance(source, ibis.Table):
            arrow = source.to_pyarrow()
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
        types = self.database.types(name)
        types.pop("file_row_number", None)
        rows = self.database.count(name)
        duplicates = None
        if whole and rows <= _DUPLICATES_UP_TO_ROWS:
            columns = ", ".join(quoted(column) for column in types)
            query = f"SELECT count(*) FROM (SELECT DISTINCT {columns} FROM {name})"
            with self.database.reading(label):
                duplicates = rows - int(self.database.rows(query)[0][0])
        return BaseTable(name, types, label, files, rows, row_number, duplicates, clean=name.startswith("csv"))


def _to_arrow(frame: pd.DataFrame, label: str) -> pa.Table:
    """A DataFrame as Arrow; object columns of mixed scalars become text."""
    named = frame.rename(columns=str)
    repeated = named.columns[named.columns.duplicated()]
    if len(repeated):
        raise InputError(f"{label} has more than one column {repeated[0]!r}; rename them")
    try:
        return pa.Table.from_pandas(named, preserve_index=False)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        mixed = {
            column: named[column].map(_text, na_action="ignore")
            for column in map(str, named.columns)
            if named[column].dtype == object
        }
        try:
            return pa.Table.from_pandas(named.assign(**mixed), preserve_index=False)
        except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
            raise InputError(f"{label} cannot be read: {error}") from None


def _text(cell: Any) -> Any:
    return str(cell) if isinstance(cell, (bool, int, float)) else cell
