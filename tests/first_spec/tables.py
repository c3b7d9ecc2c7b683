"""Tables at hand, without files."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from gdsfd.first_spec.column_facts import ColumnFacts, column_facts
from gdsfd.first_spec.find_exports import Place
from gdsfd.first_spec.sample import ExportTable

__all__ = ["facts_of", "table_of"]


def table_of(name: str, nested: Sequence[str] = (), whole: bool = True, **columns: Sequence[object]) -> ExportTable:
    """A table with these columns; cells become text, None stays blank."""
    cells = {
        key: pa.chunked_array([pa.array([None if cell is None else str(cell) for cell in values], pa.string())])
        for key, values in columns.items()
    }
    place = Place(name, (f"/exports/{name}.csv",), f"/exports/{name}.csv")
    return ExportTable(place, pa.table(cells), tuple(nested), whole)


def facts_of(name: str, cells: Sequence[object]) -> ColumnFacts:
    """What a column of these cells holds."""
    return column_facts(name, table_of("t", **{name: cells}).rows[name])
