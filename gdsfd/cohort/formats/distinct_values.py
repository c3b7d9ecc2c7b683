"""The different values of one column of a table, read as a build reads it."""

from __future__ import annotations

from pathlib import Path

from gdsfd.cohort.sources.sources import Sources
from gdsfd.cohort.sources.values import as_text
from gdsfd.cohort.spec.column_needs import ColumnNeeds, source_key

__all__ = ["distinct_values"]


def distinct_values(source: str, base_dir: Path, column: str) -> list[str]:
    """The values as text, in order, without blanks.

    Args:
        source: As in a spec: path, glob or ``file::table``.
        base_dir: The spec's folder.
        column: The column, which is there.

    Raises:
        InputError: It cannot be read.
    """
    with Sources(base_dir, {source_key(source): ColumnNeeds({column})}) as sources:
        view = sources.open(source, f"the values of {column}")
        with sources.database.reading(view.label):
            found = sources.database.fetch(view.table.select(value=as_text(view.table[column])).distinct())
    return sorted(str(value) for value in found["value"].to_pylist() if value is not None)
