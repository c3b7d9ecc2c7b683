"""Rows as a reStructuredText table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def list_table(rows: Iterable[Sequence[str]], widths: str = "") -> list[str]:
    """Lines of a ``list-table`` whose first row is its header.

    Args:
        rows: Cells as reStructuredText.
        widths: Relative widths of the columns; none = as the browser likes.
    """
    lines = [".. list-table::", "   :header-rows: 1", *([f"   :widths: {widths}"] if widths else []), ""]
    for row in rows:
        lines += [f"   {'* -' if number == 0 else '  -'} {cell}" for number, cell in enumerate(row)]
    return lines
