"""The figures of a study as SVG texts."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["bumps", "curves", "forest", "heat"]


def curves(values: Mapping[str, Sequence[float]], at: Sequence[float], across: str, up: str) -> str:
    """One line per name.

    Args:
        values: Name -> figures.
        at: Where they stand.
        across: Words under the axis.
        up: Words beside it.
    """
    with _drawing(7.0, 3.6) as (axes, done):
        look = _look(list(values))
        for name, own in values.items():
            axes.plot(at, own, markersize=4, linewidth=1.4, label=name, **look[name])
        axes.set_xlabel(across)
        axes.set_ylabel(up)
        axes.legend(fontsize=8, frameon=False, bbox_to_anchor=(1.02, 1), loc="upper left")
    return done[0]


def forest(rows: Sequence[tuple[str, float, float, float]], across: str, margin: float) -> str:
    """Differences with intervals, one line each, and the band in which they count as none.

    Args:
        rows: Name, difference, low and high end (NaN = no interval).
        across: Words under the axis.
        margin: Half the width of the band.
    """
    with _drawing(7.0, 0.9 + 0.3 * len(rows)) as (axes, done):
        axes.axvspan(-margin, margin, color="#e8ecef", zorder=0)
        axes.axvline(0, color="#5b6770", linewidth=0.8)
        for place, (_, value, low, high) in enumerate(reversed(rows)):
            if low == low:
                axes.plot([low, high], [place, place], color="#1f5fa8", linewidth=1.6)
            axes.plot([value], [place], "o", color="#1f5fa8", markersize=5)
        axes.set_yticks(range(len(rows)), [name for name, *_ in reversed(rows)])
        axes.set_ylim(-0.6, len(rows) - 0.4)
        axes.set_xlabel(across)
    return done[0]


def bumps(places: Mapping[str, Sequence[int]], columns: Sequence[str]) -> str:
    """Places of names from column to column, one line each, the first place on top.

    Args:
        places: Name -> place under each column, from 1.
        columns: Their names.
    """
    most = max(max(own) for own in places.values())
    with _drawing(2.2 + 0.9 * len(columns), 0.9 + 0.3 * most) as (axes, done):
        look = _look(list(places))
        for name, own in places.items():
            (line,) = axes.plot(range(len(columns)), own, markersize=5, linewidth=1.8, **look[name])
            axes.text(-0.12, own[0], name, ha="right", va="center", fontsize=9, color=line.get_color())
            axes.text(len(columns) - 0.88, own[-1], name, ha="left", va="center", fontsize=9, color=line.get_color())
        axes.set_ylim(most + 0.5, 0.5)
        axes.set_yticks([])
        axes.set_xticks(
            range(len(columns)), [textwrap.fill(name, 9, break_long_words=False) for name in columns], fontsize=9
        )
        axes.spines[["left", "bottom"]].set_visible(False)
        axes.tick_params(length=0)
    return done[0]


def heat(values: NDArray[np.float64], rows: Sequence[str], columns: Sequence[str], across: str, up: str) -> str:
    """A table of shares between 0 and 1 as coloured squares with their figures; what is not known stays white.

    Args:
        values: One row per name in ``rows``; [rows, columns].
        rows: Names down the side.
        columns: Names along the foot.
        across: Words under the axis.
        up: Words beside it.
    """
    grid = np.ma.masked_invalid(np.asarray(values, dtype=np.float64))
    with _drawing(2.4 + 0.62 * len(columns), 1.4 + 0.3 * len(rows)) as (axes, done):
        axes.pcolormesh(grid, cmap="Blues", vmin=0.4, vmax=1.0, edgecolors="white", linewidth=1)
        for row, own in enumerate(grid):
            for column, value in enumerate(own):
                if value is not np.ma.masked:
                    ink = "white" if value > 0.75 else "#1b2430"
                    axes.text(column + 0.5, row + 0.5, f"{value:.2f}", ha="center", va="center", fontsize=7, color=ink)
        axes.set_xticks(np.arange(len(columns)) + 0.5, columns, rotation=40, ha="right", fontsize=8)
        axes.set_yticks(np.arange(len(rows)) + 0.5, rows, fontsize=8)
        axes.invert_yaxis()
        axes.set_xlabel(across)
        axes.set_ylabel(up)
        axes.tick_params(length=0)
        axes.spines[["left", "bottom"]].set_visible(False)
    return done[0]


def _look(names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Colour, mark and stroke of each name: the same in every picture of the same learners.

    A floor is no learner, and looks like none.
    """
    floor = {"color": "#5b6770", "marker": "None", "linestyle": ":"}
    plain = sorted(name for name in names if not name.startswith("floor"))
    found: dict[str, dict[str, Any]] = {name: floor for name in names if name not in plain}
    for number, name in enumerate(plain):
        stroke = ("-", "--", "-.", ":")[number // 10 % 4]
        found[name] = {"color": f"C{number % 10}", "marker": "osD^v<>ph*"[number % 10], "linestyle": stroke}
    return found


class _drawing:
    """A picture of one pair of axes; the SVG is in the list when the block ends."""

    def __init__(self, width: float, height: float) -> None:
        self.size, self.done = (width, height), [""]

    def __enter__(self) -> tuple[Any, list[str]]:
        from matplotlib import rc_context  # slow to import
        from matplotlib.figure import Figure

        self.context = rc_context({"svg.hashsalt": "gdsfd", "svg.fonttype": "none", "font.size": 9})
        self.context.__enter__()
        self.figure = Figure(figsize=self.size)
        axes = self.figure.add_subplot()
        axes.spines[["top", "right"]].set_visible(False)
        return axes, self.done

    def __exit__(self, *error: object) -> None:
        target = io.BytesIO()
        self.figure.savefig(target, format="svg", metadata={"Date": None}, bbox_inches="tight")
        text = target.getvalue().decode("utf-8")
        self.done[0] = text[text.index("<svg") :]
        self.context.__exit__(None, None, None)
