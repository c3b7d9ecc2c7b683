"""The headline table of a report as plain text."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["headline", "text_table"]


def headline(frame: pd.DataFrame) -> str:
    """The table of :meth:`gdsfd.evaluation.report.report.Report.to_frame`, each figure and its interval in one cell.

    Args:
        frame: With columns ``x``, ``x_low`` and ``x_high`` for a figure that has an interval.

    Returns:
        Lines without a newline at the end.
    """
    import pandas as pd

    shown: dict[str, list[object]] = {}
    for name in map(str, frame.columns):
        if name.endswith(("_low", "_high")):
            continue
        if f"{name}_low" in frame.columns:
            shown[name] = [_interval(*row) for row in zip(frame[name], frame[f"{name}_low"], frame[f"{name}_high"])]
        else:
            shown[name] = list(frame[name])
    return text_table(pd.DataFrame(shown))


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


def _interval(value: float, low: float, high: float) -> str:
    return _cell(value) if math.isnan(low) else f"{value:.3f} [{low:.3f}, {high:.3f}]"


def _cell(value: object) -> str:
    if value is None or str(value) == "<NA>":
        return "-"
    if isinstance(value, float):
        return "-" if math.isnan(value) else f"{value:.3f}"
    return str(value)
