"""Small vector pictures for the report: line plots and the cells of a forest plot. Plain SVG text, no library."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from gdsfd.evaluation.metrics.estimate import Estimate
from gdsfd.evaluation.report.svg_axis import (
    Axis,
    axis_label,
    axis_label_left,
    grid_line,
    round_ticks,
    tick_left,
    tick_text,
)

__all__ = ["ForestAxis", "Line", "forest_cell", "forest_header", "line_plot"]

Points = Sequence[tuple[float, float]]

_WIDTH, _HEIGHT = 330, 330
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 10, 10, 44


@dataclass(frozen=True)
class Line:
    """One curve.

    Args:
        points: x and y in 0 .. 1.
        style: CSS class that gives colour and dashes.
        dots: Area of a dot per point (patients in a bin), or empty for a line without dots.
        steps: Whether the curve runs in steps.
    """

    points: Points
    style: str
    dots: Sequence[float] = ()
    steps: bool = False


def line_plot(
    lines: Sequence[Line], x_label: str, y_label: str, label: str, top: float = 1.0, reference: Points = ()
) -> str:
    """A square plot of shares against shares.

    Args:
        lines: The curves, the most important last (it is drawn on top).
        x_label: Under the plot.
        y_label: Beside it.
        label: What the picture shows, for screen readers.
        top: Both axes end here (a calibration curve of a rare outcome needs no empty corner).
        reference: A thin grey line: what no information, or perfection, would look like. Cut at ``top``.
    """
    x = Axis(0.0, top, _LEFT, _WIDTH - _RIGHT)
    y = Axis(0.0, top, _HEIGHT - _BOTTOM, _TOP)
    parts = [f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(label)}">']
    for tick in round_ticks(0.0, top, (0.01, 0.02, 0.05, 0.1, 0.2), 6, 2):
        shown = f"{tick:.{2 if top < 0.3 else 1}f}"
        parts.append(grid_line(x(tick), y(0), x(tick), y(top)))
        parts.append(grid_line(x(0), y(tick), x(top), y(tick)))
        parts.append(tick_text(x(tick), y(0) + 15, shown))
        parts.append(tick_left(x(0), y(tick), shown))
    parts.append(axis_label((x(0) + x(top)) / 2, _HEIGHT - 6, x_label))
    parts.append(axis_label_left(12, (y(0) + y(top)) / 2, y_label))
    if reference:
        parts.append(
            f'<polyline class="reference" points="{_path([(x(min(a, top)), y(min(b, top))) for a, b in reference])}"/>'
        )
    for line in lines:
        drawn = [(x(a), y(min(b, top))) for a, b in (_stepped(line.points) if line.steps else line.points)]
        parts.append(f'<polyline class="curve {line.style}" points="{_path(drawn)}"/>')
        most = max(line.dots, default=1.0)
        for (a, b), size in zip(line.points, line.dots):
            radius = round(1.8 + 2.6 * (size / most) ** 0.5, 1)
            parts.append(f'<circle class="dot {line.style}" cx="{x(a)}" cy="{y(min(b, top))}" r="{radius}"/>')
    return "".join([*parts, "</svg>"])


def _stepped(points: Points) -> Points:
    """Precision belongs to the whole step up to its recall."""
    stepped: list[tuple[float, float]] = []
    for x, y in points:
        if stepped:
            stepped.append((stepped[-1][0], y))
        stepped.append((x, y))
    return stepped


def _path(points: Points) -> str:
    return " ".join(f"{x:g},{y:g}" for x, y in points)


@dataclass(frozen=True)
class ForestAxis:
    """The shared axis of a forest plot that is spread over the rows of a table.

    Args:
        low: Left end.
        high: Right end.
        whole: The figure of all patients: a vertical line through the rows.
    """

    low: float
    high: float
    whole: float

    width = 220
    height = 22

    @classmethod
    def around(cls, estimates: Sequence[Estimate], whole: float) -> ForestAxis:
        """An axis for AUROCs: from 0.5, or from below the lowest end but not below 0.3, to 1."""
        ends = [one.low if one.has_interval else one.value for one in estimates if one.defined]
        low = min([0.5, *(int(end * 10) / 10 for end in ends)])
        return cls(max(low, 0.3), 1.0, whole)

    def x(self, value: float) -> float:
        """Place of a value; one below the axis is put at its left end."""
        return Axis(self.low, self.high, 12, self.width - 12)(max(value, self.low))


def forest_header(axis: ForestAxis) -> str:
    """The axis, for the head of the table's column."""
    step = 0.1 if axis.high - axis.low < 0.75 else 0.2
    parts = [f'<svg class="forest" viewBox="0 0 {axis.width} {axis.height}" aria-hidden="true">']
    for number in range(round((axis.high - axis.low) / step) + 1):
        value = axis.high - number * step
        parts.append(tick_text(axis.x(value), 14, f"{value:.1f}"))
        parts.append(grid_line(axis.x(value), 18, axis.x(value), 22, "tickmark"))
    return "".join([*parts, "</svg>"])


def forest_cell(axis: ForestAxis, estimate: Estimate, other: Estimate | None = None) -> str:
    """One row: a dot with its interval, and a hollow diamond for another model.

    Args:
        axis: The shared axis.
        estimate: The model's figure.
        other: The figure of the model it is compared with.
    """
    middle = axis.height / 2
    parts = [f'<svg class="forest" viewBox="0 0 {axis.width} {axis.height}" aria-hidden="true">']
    if axis.low <= axis.whole <= axis.high:
        at = axis.x(axis.whole)
        parts.append(f'<line class="whole" x1="{at}" y1="0" x2="{at}" y2="{axis.height}"/>')
    if estimate.has_interval:
        parts.append(
            f'<line class="bar" x1="{axis.x(estimate.low)}" y1="{middle}" x2="{axis.x(estimate.high)}" y2="{middle}"/>'
        )
        if estimate.low < axis.low:  # the bar goes on
            parts.append(f'<path class="cut" d="M{axis.x(axis.low) - 7} {middle}l7 -4v8z"/>')
    if other is not None and other.defined:
        at = axis.x(other.value)
        parts.append(f'<path class="other" d="M{at} {middle - 4.5}l4.5 4.5l-4.5 4.5l-4.5 -4.5z"/>')
    if estimate.defined:
        parts.append(f'<circle class="point" cx="{axis.x(estimate.value)}" cy="{middle}" r="4"/>')
    return "".join([*parts, "</svg>"])
