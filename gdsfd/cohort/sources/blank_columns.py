"""Warnings of columns that one of a source's Parquet files has not a single value of, where the others have many."""

from __future__ import annotations

from collections.abc import Collection

import pyarrow.parquet as pq

from gdsfd.cohort.receipt.receipt import Finding
from gdsfd.cohort.sources.files import FileSet
from gdsfd.errors import cell_text

__all__ = ["BlankColumns"]

_ROWS = 100  #: of the file, and of the others together, at the least
_SHARE = 0.2  #: of the others' rows that have a value; files by year or kind may well lack what is rare


class BlankColumns:
    """Notes where all of a file's values of a column are blank.

    A shard whose values were not written is else a part of the patients of whom nothing was measured. Files say in
    their heads how many blanks a column has; no row is read.
    """

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], Finding] = {}

    def add(self, files: FileSet, columns: Collection[str]) -> None:
        """Notes the blank columns of one source's files.

        Args:
            files: Its Parquet files, which can be read.
            columns: Those of its columns that a build reads.
        """
        if len(files.paths) < 2:
            return
        counted: dict[str, list[tuple[str, int, int]]] = {}
        for path, name in zip(files.paths, files.names):
            for column, rows, blank in _blanks(path, columns):
                counted.setdefault(column, []).append((name, rows, blank))
        for column, by_file in counted.items():
            empty = [(name, rows) for name, rows, blank in by_file if blank == rows >= _ROWS]
            gone = {name for name, _ in empty}
            rows = sum(rows for name, rows, _ in by_file if name not in gone)
            blank = sum(blank for name, _, blank in by_file if name not in gone)
            if not empty or rows < _ROWS or rows - blank < _SHARE * rows:
                continue
            first, many = max(empty, key=lambda each: each[1])
            more = f", and so are those of {len(empty) - 1:,} more files" if len(empty) > 1 else ""
            text = (
                f"all {many:,} cells of column {cell_text(column)} are blank in this file{more}; of the others' rows "
                f"{(rows - blank) / rows:.0%} have a value. Was it exported without them? Its patients look like ones "
                "who were not measured"
            )
            self._found[first, column] = Finding("rows", first, text)

    def findings(self) -> list[Finding]:
        """The warnings, each once."""
        return list(self._found.values())


def _blanks(path: str, columns: Collection[str]) -> list[tuple[str, int, int]]:
    """Of each column: its name, rows and blanks of a file; those are left out of which a file does not say it."""
    head = pq.ParquetFile(path).metadata
    wanted = [number for number in range(head.num_columns) if head.schema.column(number).path in columns]
    found = []
    for number in wanted:
        blank = 0
        for group in range(head.num_row_groups):
            told = head.row_group(group).column(number).statistics
            if told is None or not told.has_null_count:
                break
            blank += told.null_count
        else:
            found.append((head.schema.column(number).path, head.num_rows, blank))
    return found
