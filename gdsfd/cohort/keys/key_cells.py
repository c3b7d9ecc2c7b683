"""What the cells of a column must be so that they can name something: a patient, a person, a site, an item, a code."""

from __future__ import annotations

from gdsfd.cohort.sources.internal_names import KEEP
from gdsfd.cohort.sources.sources import Sources, View
from gdsfd.cohort.sources.sql_text import quoted
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
        exact: Whether whole numbers stored as floats must be told apart: they must in ids, items and codes.

    Raises:
        InputError: Floats beyond the whole numbers that floats tell apart, or text of over 1,000 characters.
    """
    kind = view.table[column].type()
    if exact and kind.is_floating():
        _check_floats(view, column, field, sources, _EXACT[type(kind).__name__])
    elif kind.is_string():
        _check_lengths(view, column, field, sources)


def _check_floats(view: View, column: str, field: str, sources: Sources, exact: float) -> None:
    cell = quoted(column)
    query = f"SELECT DISTINCT {cell} FROM {_kept(view)} AND abs({cell}) >= {exact!r} ORDER BY 1 LIMIT 6"
    with sources.database.reading(view.label):
        found = [row[0] for row in sources.database.rows(query)]
    if found:
        raise InputError(
            f"column {column!r} of {view.label} ({field}) holds whole numbers as floats, too large for floats to tell "
            f"neighbours apart: {shown(found)}; export it as integer or text"
        )


def _check_lengths(view: View, column: str, field: str, sources: Sources) -> None:
    cell = quoted(column)
    query = (
        f"SELECT left({cell}, {CELL_CHARACTERS}), length({cell}) FROM {_kept(view)} "
        f"AND length({cell}) > {MAX_CHARACTERS} ORDER BY 1 LIMIT 3"
    )
    with sources.database.reading(view.label):
        found = sources.database.rows(query)
    if found:
        listed = ", ".join(f"{begins + '…'!r} ({length:,} characters)" for begins, length in found)
        raise InputError(
            f"column {column!r} of {view.label} ({field}) names things, but has cells of more than "
            f"{MAX_CHARACTERS:,} characters: {listed}; it is the wrong column, or a quote in the file is not closed"
        )


def _kept(view: View) -> str:
    """The rows that ``where`` keeps, as the part of a query that ends in its condition."""
    return f"{quoted(view.table.get_name())} WHERE {KEEP}"
