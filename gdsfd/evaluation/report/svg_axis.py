"""Axes of small SVG pictures: scales from numbers to pixels, ticks, grid lines and labels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

__all__ = ["Axis", "axis_label", "axis_label_left", "grid_line", "round_ticks", "tick_left", "tick_text"]


@dataclass(frozen=True)
class Axis:
    """A linear scale.

    Args:
        low: The number at ``start``.
        high: The number at ``end``.
        start: Where the axis begins, in pixels; below ``end`` on a vertical axis, as SVG counts downwards.
        end: Where it ends.

    Example:
        >>> Axis(0.0, 1.0, 40, 240)(0.25), Axis(0.0, 1.0, 200, 0)(0.25)
        (90.0, 150.0)
    """

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Where a number stands, in pixels."""
        return round(self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start), 1)


def round_ticks(low: float, high: float, steps: Sequence[float], most: int, digits: int) -> list[float]:
    """Multiples of the smallest step that gives no more than so many.

    Args:
        low: Left end.
        high: Right end.
        steps: Steps to choose from, ascending; where all are too small a fifth of the axis is taken.
        most: The most steps.
        digits: Numbers are rounded to so many.

    Example:
        >>> round_ticks(0.0, 0.3, (0.01, 0.05, 0.1), 6, 2)
        [0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3]
    """
    step = next((size for size in steps if (high - low) / size <= most), (high - low) / 5)
    first, last = math.ceil(low / step - 1e-6), math.floor(high / step + 1e-6)
    return [round(step * number, digits) for number in range(first, last + 1)]


def grid_line(x1: float, y1: float, x2: float, y2: float, style: str = "grid") -> str:
    """A thin line through the plot."""
    return f'<line class="{style}" x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}"/>'


def tick_text(x: float, y: float, text: str) -> str:
    """A number under, or in, a horizontal axis."""
    return f'<text class="tick" x="{x}" y="{y}" text-anchor="middle">{text}</text>'


def tick_left(x: float, y: float, text: str) -> str:
    """A number on the left of a vertical axis, level with its line."""
    return f'<text class="tick" x="{x - 6}" y="{y + 3.5}" text-anchor="end">{text}</text>'


def axis_label(x: float, y: float, text: str) -> str:
    """What a horizontal axis shows."""
    return f'<text class="axis" x="{x}" y="{y}" text-anchor="middle">{escape(text)}</text>'


def axis_label_left(x: float, y: float, text: str) -> str:
    """What a vertical axis shows, written upwards."""
    turn = f'transform="rotate(-90 {x} {y})"'
    return f'<text class="axis" x="{x}" y="{y}" text-anchor="middle" {turn}>{escape(text)}</text>'
