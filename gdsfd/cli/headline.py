"""The headline table of a report as plain text."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["headline", "text_table"]

#: What all models of a split have in common, in words.
_OF_THE_SPLIT = {"n": "{} patients", "positives": "{} positive", "prevalence": "prevalence {}"}


def headline(frame: pd.DataFrame, width: int | None = None) -> str:
    """The table of :meth:`gdsfd.evaluation.report.report.Report.to_frame`, each figure and its interval in one cell.

    Args:
        frame: With columns ``x``, ``x_low`` and ``x_high`` for a figure that has an interval.
        width: Columns of text that lines should fit. Where they do not, each split has a table of its own, and figures
            that find no place are named below.

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
    table = pd.DataFrame(shown)
    whole = text_table(table)
    if width is None or "split" not in shown or max(map(len, whole.splitlines())) <= width:
        return whole
    return _narrow(table, width)


def _narrow(table: pd.DataFrame, width: int) -> str:
    """A table per split, below a line of what holds for all its rows, with as many figures as fit."""
    parts, left_out = [], []
    for split, rows in table.groupby("split", sort=False):
        said = [name for name in _OF_THE_SPLIT if name in rows and rows[name].nunique(dropna=False) == 1]
        counts = ", ".join(_OF_THE_SPLIT[name].format(_cell(rows[name].iloc[0])) for name in said)
        rows = rows.drop(columns=["split", *said])
        fits = rows
        while fits.shape[1] > 2 and max(map(len, text_table(fits).splitlines())) > width:
            fits = fits.iloc[:, :-1]
        left_out += [name for name in rows.columns if name not in fits.columns and name not in left_out]
        parts.append(f"{split}: {counts}\n\n{text_table(fits)}" if counts else f"{split}\n\n{text_table(fits)}")
    if left_out:
        parts.append(f"(no room here for {', '.join(left_out)}: see the report, or a wider terminal)")
    return "\n\n".join(parts)


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
