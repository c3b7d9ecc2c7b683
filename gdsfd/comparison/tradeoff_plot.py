"""The picture of a comparison: what an arm costs where nothing has shifted, and what it gains where something has."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from gdsfd.evaluation.report.svg_axis import (
    Axis,
    axis_label,
    axis_label_left,
    grid_line,
    round_ticks,
    tick_left,
    tick_text,
)

__all__ = ["Mark", "shape_path", "tradeoff_plot"]

_WIDTH, _HEIGHT = 560, 430
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 16, 14, 50
#: Distances of ticks to choose from.
_STEPS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2)
#: Backbones are told apart by shape.
SHAPES = ("circle", "square", "triangle", "diamond")


@dataclass(frozen=True)
class Mark:
    """One arm.

    Args:
        x: Change on the split like training, with the two ends of its interval (NaN = none).
        y: Change on the shifted split.
        style: CSS class of the colour.
        shape: One of :data:`SHAPES`, or ``star`` for the oracle.
        label: What it is, shown when pointed at.
        hollow: Whether only the outline is drawn (forced networks).
    """

    x: tuple[float, float, float]
    y: tuple[float, float, float]
    style: str
    shape: str
    label: str
    hollow: bool = False


def tradeoff_plot(marks: Sequence[Mark], x_label: str, y_label: str, label: str) -> str:
    """The picture as SVG; ERM is the origin.

    Args:
        marks: The arms; those without both figures are left out.
        x_label: Under the plot.
        y_label: Beside it.
        label: What the picture shows, for screen readers.
    """
    shown = [mark for mark in marks if math.isfinite(mark.x[0]) and math.isfinite(mark.y[0])]
    left, right = _range([end for mark in shown for end in mark.x])
    low, high = _range([end for mark in shown for end in mark.y])

    x = Axis(left, right, _LEFT, _WIDTH - _RIGHT)
    y = Axis(low, high, _HEIGHT - _BOTTOM, _TOP)

    bottom, top, first, last = y(low), y(high), x(left), x(right)
    parts = [f'<svg class="plane" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(label)}">']
    for tick in round_ticks(left, right, _STEPS, 8, 4):
        parts.append(grid_line(x(tick), bottom, x(tick), top))
        parts.append(tick_text(x(tick), bottom + 15, _signed(tick)))
    for tick in round_ticks(low, high, _STEPS, 8, 4):
        parts.append(grid_line(first, y(tick), last, y(tick)))
        parts.append(tick_left(first, y(tick), _signed(tick)))
    parts.append(grid_line(x(0), bottom, x(0), top, "zero"))
    parts.append(grid_line(first, y(0), last, y(0), "zero"))
    parts.append(axis_label((first + last) / 2, _HEIGHT - 8, x_label))
    parts.append(axis_label_left(14, (bottom + top) / 2, y_label))
    parts.append(f'<circle class="origin" cx="{x(0)}" cy="{y(0)}" r="5"><title>ERM</title></circle>')
    parts.append(f'<text class="tick" x="{x(0) + 8}" y="{y(0) - 7}">ERM</text>')
    for mark in shown:
        at_x, at_y = x(mark.x[0]), y(mark.y[0])
        classes = f"{mark.style}{' hollow' if mark.hollow else ''}"
        if math.isfinite(mark.x[1]):
            parts.append(
                f'<line class="span {classes}" x1="{x(mark.x[1])}" y1="{at_y}" x2="{x(mark.x[2])}" y2="{at_y}"/>'
            )
        if math.isfinite(mark.y[1]):
            parts.append(
                f'<line class="span {classes}" x1="{at_x}" y1="{y(mark.y[1])}" x2="{at_x}" y2="{y(mark.y[2])}"/>'
            )
    for mark in shown:
        classes = f"mark {mark.style}{' hollow' if mark.hollow else ''}"
        path = shape_path(mark.shape, x(mark.x[0]), y(mark.y[0]))
        parts.append(f'<path class="{classes}" d="{path}"><title>{escape(mark.label)}</title></path>')
    return "".join([*parts, "</svg>"])


def _range(ends: Sequence[float]) -> tuple[float, float]:
    """Both ends of an axis, with 0 inside and some room."""
    known = [0.0, *(end for end in ends if math.isfinite(end))]
    low, high = min(known), max(known)
    room = max(0.08 * (high - low), 0.004)
    return low - room, high + room


def _signed(value: float) -> str:
    if value == 0:
        return "0"
    return f"{'−' if value < 0 else '+'}{abs(value):.3f}".rstrip("0").rstrip(".")


def shape_path(shape: str, x: float, y: float) -> str:
    """The outline of a mark around a point, as the ``d`` of an SVG path."""
    paths = {
        "circle": f"M{x - 5} {y}a5 5 0 1 0 10 0a5 5 0 1 0 -10 0z",
        "square": f"M{x - 4.6} {y - 4.6}h9.2v9.2h-9.2z",
        "triangle": f"M{x} {y - 5.8}l5.6 9.8h-11.2z",
        "diamond": f"M{x} {y - 6}l6 6l-6 6l-6 -6z",
    }
    if shape in paths:
        return paths[shape]
    points = []
    for number in range(10):  # a star
        radius = 8.5 if number % 2 == 0 else 3.6
        angle = math.pi * (number / 5 - 0.5)
        points.append(f"{round(x + radius * math.cos(angle), 1)} {round(y + radius * math.sin(angle), 1)}")
    return f"M{'L'.join(points)}z"
