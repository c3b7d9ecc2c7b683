"""The headline table of a report as plain text."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["text_table"]


def text_table(frame: pd.DataFrame) -> str:
    """An aligned table: text to the left, numbers to the right with three decimals, NaN as a dash.

    Args:
        frame: Few rows and columns.

    Returns:
        Lines without a newline at the end.
    """
    columns = [str(name) for name in frame.columns]
    rows = [[_cell(value) for value in row] for row in frame.itertuples(index=False)]
    numeric = [all(not isinstance(value, str) for value in frame.iloc[:, number]) for number in range(len(columns))]
    widths = [max(map(len, [columns[number], *(row[number] for row in rows)])) for number in range(len(columns))]

    def line(cells: list[str]) -> str:
        aligned = (
            cell.rjust(width) if right else cell.ljust(width) for cell, width, right in zip(cells, widths, numeric)
        )
        return "  ".join(aligned).rstrip()

    return "\n".join([line(columns), "  ".join("-" * width for width in widths), *map(line, rows)])


def _cell(value: object) -> str:
    if isinstance(value, float):
        if math.isnan(value):
            return "-"
        return f"{value:.0f}" if value.is_integer() and abs(value) > 1 else f"{value:.3f}"
    return str(value)
