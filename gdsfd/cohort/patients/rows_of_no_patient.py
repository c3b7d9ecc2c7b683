"""Rows of a cohort table that are no patient: its header once more, or a line of totals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gdsfd.cohort.receipt.receipt import Finding
from gdsfd.errors import InputError, cell_text, shown

__all__ = ["check_rows_of_no_patient"]

_TOTALS = frozenset(
    ("total", "totals", "grand total", "sum", "subtotal", "all", "mean", "average", "count", "summe", "gesamt", "somme")
)


def check_rows_of_no_patient(column: str, cells: Mapping[str, Sequence[str | None]], label: str) -> list[Finding]:
    """Refuses a table whose names of columns stand among its rows, and tells of a line of totals.

    Args:
        column: The one of the ids.
        cells: The cells of the columns that the spec names, those of the ids among them.
        label: The table, for messages.

    Returns:
        A warning of an id such as ``Total`` beside ids that all hold a digit.

    Raises:
        InputError: In a row the cell of the id, and one of another column, is the column's name.
    """
    ids, others = cells[column], [name for name in cells if name != column]
    for row, cell in enumerate(ids):
        if cell == column and (not others or any(cells[name][row] == name for name in others)):
            raise InputError(
                f"{label}: a row holds the names of the columns again (id {cell_text(cell)}): were files appended to "
                "each other with their headers? Take such rows out of the file, or leave them out with cohort.where"
            )
    totals = [cell for cell in ids if cell is not None and cell.strip(" :*").casefold() in _TOTALS]
    rest = len(ids) - len(totals)
    if not totals or rest < 2 or sum(any(sign.isdigit() for sign in cell or "") for cell in ids) < rest:
        return []
    text = (
        f"{len(totals):,} ids are words beside ids that all have digits ({shown(totals)}): lines of totals, not "
        "patients? Leave them out with cohort.where"
    )
    return [Finding("rows", "cohort", text, float(len(totals)))]
