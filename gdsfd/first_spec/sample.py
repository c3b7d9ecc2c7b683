"""The first rows of a table, read as a build reads it."""

from __future__ import annotations

import codecs
import os
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from gdsfd.cohort.sources.database_file import find_table
from gdsfd.cohort.sources.file_kind import file_kind, opened
from gdsfd.cohort.sources.internal_names import PREFIX
from gdsfd.cohort.sources.sources import Sources
from gdsfd.cohort.sources.values import as_text
from gdsfd.errors import InputError
from gdsfd.first_spec.column_facts import ColumnFacts, column_facts
from gdsfd.first_spec.find_exports import Place

__all__ = ["ExportTable", "read_sample"]

_BYTES = 4 << 20  #: of text that are looked at
_ROWS = 200_000  #: of Parquet and databases


@dataclass
class ExportTable:
    """A table and its first rows.

    Args:
        place: Where it stands.
        rows: The rows looked at, every column as text; columns of lists are left out.
        nested: Columns that hold lists or structures.
        whole: Whether these are all of its rows.
    """

    place: Place
    rows: pa.Table
    nested: tuple[str, ...] = ()
    whole: bool = True

    @property
    def name(self) -> str:
        """What it is called."""
        return self.place.name

    @property
    def columns(self) -> list[str]:
        """Its columns, but those of lists."""
        return list(self.rows.column_names)

    @cached_property
    def facts(self) -> dict[str, ColumnFacts]:
        """What each column holds."""
        return {name: column_facts(name, self.rows[name]) for name in self.columns}

    @cached_property
    def _by_folded_name(self) -> dict[str, str]:
        return {name.casefold(): name for name in self.columns}

    def column(self, name: str | None) -> str | None:
        """The column of a name in any case, or None."""
        return None if name is None else self._by_folded_name.get(name.casefold())

    def cells(self, column: str) -> list[str | None]:
        """The cells of a column."""
        found: list[str | None] = self.rows[column].to_pylist()
        return found


def read_sample(place: Place, scratch: Path) -> ExportTable:
    """Reads the first rows of a table: 4 MB of text, or 200,000 rows.

    Args:
        place: Where it stands.
        scratch: A folder for what is read, private and empty.

    Raises:
        InputError: It cannot be read.
    """
    source: Any
    if place.in_database:
        found = find_table(place.written, Path()).reader(_ROWS + 1).read_all()
        source, whole = found.slice(0, _ROWS), len(found) <= _ROWS
    elif place.parquet:
        source, whole = _first_of_parquet(place.paths)
    else:
        source, whole = _first_of_text(place.paths[0], scratch)
        whole &= len(place.paths) == 1
    with Sources(scratch) as sources:
        view = sources.open(source, f"the first rows of {place.name}")
        kinds = {name: kind for name, kind in view.types.items() if not name.startswith(PREFIX)}
        nested = tuple(name for name, kind in kinds.items() if kind.is_nested())
        plain = {name: as_text(view.table[name]) for name in kinds if name not in nested}
        cells = [column.name(f"c{k}") for k, column in enumerate(plain.values())]
        rows = sources.database.fetch(view.table.select(*cells)) if cells else pa.table({})
    return ExportTable(place, rows.rename_columns(list(plain)), nested, whole)


def _first_of_parquet(paths: tuple[str, ...]) -> tuple[pa.Table, bool]:
    pieces: list[pa.RecordBatch] = []
    read = 0
    for path in paths:
        try:
            for piece in pq.ParquetFile(path).iter_batches(batch_size=20_000):
                pieces.append(piece)
                read += len(piece)
                if read > _ROWS:
                    return pa.Table.from_batches(pieces[:1] if len(pieces) == 1 else pieces).slice(0, _ROWS), False
        except (pa.ArrowException, OSError) as error:
            raise InputError(f"{os.path.basename(path)} cannot be read: {error}") from None
    return pa.concat_tables([pa.Table.from_batches([piece]) for piece in pieces], promote_options="permissive"), True


def _first_of_text(path: str, scratch: Path) -> tuple[Path, bool]:
    """The first megabytes of a text as a file of their own, up to the end of a record; and whether that is all."""
    kind = file_kind(path, os.path.basename(path))
    with opened(path, kind.gzipped) as stream:
        raw = stream.read(_BYTES)
    cut = len(raw) == _BYTES
    text = codecs.getincrementaldecoder(kind.encoding)(errors="replace").decode(raw, final=not cut).encode()
    if cut:
        codes = np.frombuffer(text, np.uint8)
        outside = np.cumsum(codes == ord('"')) % 2 == 0
        ends = np.flatnonzero((codes == ord("\n")) & outside)
        text = text[: ends[-1] + 1] if len(ends) else text
    copy = scratch / f"{re.sub(r'[.]gz$', '', os.path.basename(path))}"
    copy.write_bytes(text)
    return copy, not cut
