"""Curves over time, as a vector picture for the report."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from gdsfd.evaluation.report.svg import Line
from gdsfd.evaluation.report.svg_axis import (
    Axis,
    axis_label,
    axis_label_left,
    grid_line,
    round_ticks,
    tick_left,
    tick_text,
)

__all__ = ["time_plot"]

_WIDTH, _HEIGHT = 420, 330
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 14, 10, 44


def time_plot(lines: Sequence[Line], end: float, x_label: str, y_label: str, label: str, top: float = 1.0) -> str:
    """A plot of shares against time.

    Args:
        lines: The curves; x is time. A curve in steps holds its value until the next point.
        end: Where the axis of time ends.
        x_label: Under the plot.
        y_label: Beside it.
        label: What the picture shows, for screen readers.
        top: Where the axis of shares ends.
    """
    x = Axis(0.0, end, _LEFT, _WIDTH - _RIGHT)
    y = Axis(0.0, top, _HEIGHT - _BOTTOM, _TOP)
    parts = [f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(label)}">']
    power = 10.0 ** math.floor(math.log10(end) - 1)
    for tick in round_ticks(0.0, end, [power * step for step in (1, 2, 5, 10, 20, 50)], 6, 12):
        parts.append(grid_line(x(tick), y(0), x(tick), y(top)))
        parts.append(tick_text(x(tick), y(0) + 15, f"{tick:g}"))
    for tick in round_ticks(0.0, top, (0.01, 0.02, 0.05, 0.1, 0.2), 6, 2):
        parts.append(grid_line(x(0), y(tick), x(end), y(tick)))
        parts.append(tick_left(x(0), y(tick), f"{tick:.{2 if top < 0.3 else 1}f}"))
    parts.append(axis_label((x(0) + x(end)) / 2, _HEIGHT - 6, x_label))
    parts.append(axis_label_left(12, (y(0) + y(top)) / 2, y_label))
    for line in lines:
        drawn: list[tuple[float, float]] = []
        for time, share in line.points:
            if line.steps and drawn:
                drawn.append((x(min(time, end)), drawn[-1][1]))
            drawn.append((x(min(time, end)), y(min(share, top))))
        path = " ".join(f"{a:g},{b:g}" for a, b in drawn)
        parts.append(f'<polyline class="curve {line.style}" points="{path}"/>')
    return "".join([*parts, "</svg>"])
