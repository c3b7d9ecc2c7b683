"""The figures of a study as SVG texts."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["curves", "forest"]


def curves(values: Mapping[str, Sequence[float]], at: Sequence[float], across: str, up: str) -> str:
    """One line per name.

    Args:
        values: Name -> figures.
        at: Where they stand.
        across: Words under the axis.
        up: Words beside it.
    """
    with _drawing(7.0, 3.6) as (axes, done):
        for number, (name, own) in enumerate(values.items()):
            axes.plot(at, own, marker="osD^v<>ph*"[number % 10], markersize=4, linewidth=1.4, label=name)
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
