"""What the cells of a column must be so that they can name something: a patient, a person, a site, an item, a code."""

from __future__ import annotations

from typing import Any

from gdsfd.cohort.internal_names import KEEP
from gdsfd.cohort.sources import Sources, View
from gdsfd.errors import CELL_CHARACTERS, InputError, shown

__all__ = ["MAX_CHARACTERS", "check_key_cells"]

#: No export has names this long; a cell beyond it is a note in the wrong column, or a quote that was not closed.
MAX_CHARACTERS = 1_000
#: Whole numbers up to which every one has a float of its own.
_EXACT = {"Float64": 2.0**53, "Float32": 2.0**24, "Float16": 2.0**11}


def check_key_cells(view: View, column: str, field: str, sources: Sources, exact: bool = False) -> None:
    """Raises an InputError where two names may have become one, or a name is endless.

    Args:
        view: The source.
        column: Its column.
        field: What the spec calls it, for messages: ``"cohort.id"``.
        sources: The build's sources.
        exact: Whether whole numbers stored as floats must be told apart: they must in ids.

    Raises:
        InputError: Floats beyond the whole numbers that floats tell apart, or text of over 1,000 characters.
    """
    table = view.table.filter(view.table[KEEP])
    cell = table[column]
    kind = cell.type()
    if exact and kind.is_floating():
        _check_floats(table.filter(cell.abs() >= _EXACT[type(kind).__name__]), view, column, field, sources)
    elif kind.is_string():
        _check_lengths(table.filter(cell.length() > MAX_CHARACTERS), view, column, field, sources)


def _check_floats(inexact: Any, view: View, column: str, field: str, sources: Sources) -> None:
    with sources.database.reading(view.label):
        found = sources.database.fetch(inexact.select(cell=inexact[column]).distinct().order_by("cell").limit(6))
    if found.num_rows:
        raise InputError(
            f"column {column!r} of {view.label} ({field}) holds whole numbers as floats, too large for floats to tell "
            f"neighbours apart: {shown(found['cell'].to_pylist())}; export it as integer or text"
        )


def _check_lengths(endless: Any, view: View, column: str, field: str, sources: Sources) -> None:
    with sources.database.reading(view.label):
        cell = endless[column]
        found = sources.database.fetch(
            endless.select(begins=cell.left(CELL_CHARACTERS), length=cell.length()).order_by("begins").limit(3)
        ).to_pylist()
    if found:
        listed = ", ".join(f"{row['begins'] + '…'!r} ({row['length']:,} characters)" for row in found)
        raise InputError(
            f"column {column!r} of {view.label} ({field}) names things, but has cells of more than "
            f"{MAX_CHARACTERS:,} characters: {listed}; it is the wrong column, or a quote in the file is not closed"
        )
