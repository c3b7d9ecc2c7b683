"""Pictures of strata: rates on a common axis, changes around 0, and the distribution of changes. Plain SVG text."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from gdsfd.evaluation.report.numbers import number, percent
from gdsfd.evaluation.report.sections.strata.movement import SubgroupShift
from gdsfd.evaluation.report.svg_axis import Axis, axis_label, grid_line, tick_left, tick_text

__all__ = ["ChangeAxis", "ShareAxis", "movement_histogram"]

_WIDTH, _HEIGHT, _EDGE = 260, 24, 14
_TOPS = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0)
#: Ends of the axis of changes, and the distance of its ticks.
_REACHES = ((0.01, 0.005), (0.02, 0.01), (0.05, 0.025), (0.1, 0.05), (0.2, 0.1), (0.4, 0.2), (1.0, 0.5))


def _open(label: str) -> str:
    """The start of a cell; without a label it is for the eye only."""
    said = f'role="img" aria-label="{label}"><title>{label}</title>' if label else 'aria-hidden="true">'
    return f'<svg class="probe" viewBox="0 0 {_WIDTH} {_HEIGHT}" {said}'


def _tick(x: float, text: str) -> str:
    return tick_text(x, 14, text) + grid_line(x, 19, x, 24, "tickmark")


def _whole(share: float) -> bool:
    """Whether it is a whole number of percentage points."""
    return abs(share * 100 - round(share * 100)) < 1e-6


@dataclass(frozen=True)
class ShareAxis:
    """From 0 to a round share.

    Args:
        top: Its end.
        whole: Where the line through all rows is.
    """

    top: float
    whole: float

    @classmethod
    def around(cls, shares: Sequence[float], whole: float) -> ShareAxis:
        """An axis that holds the shares; those that are NaN do not count."""
        most = max([0.0, *(share for share in (*shares, whole) if math.isfinite(share))])
        return cls(next(top for top in _TOPS if most <= top + 1e-9), whole)

    def x(self, share: float) -> float:
        """Place of a share."""
        return Axis(0.0, self.top, _EDGE, _WIDTH - _EDGE)(share)

    def header(self) -> str:
        """The axis."""
        ticks = [self.top * at / 4 for at in range(5)]
        digits = 0 if all(map(_whole, ticks)) else 1
        return "".join([_open(""), *(_tick(self.x(tick), percent(tick, digits)) for tick in ticks), "</svg>"])

    def cell(self, rate: float, predicted: float) -> str:
        """One row: a diamond for the outcome rate, a dot for the mean prediction.

        Args:
            rate: NaN where nobody is labelled.
            predicted: NaN where there is nobody.
        """
        middle = _HEIGHT / 2
        parts = [_open(f"outcome {percent(rate)}, predicted {percent(predicted)}")]
        if math.isfinite(self.whole):
            at = self.x(self.whole)
            parts.append(f'<line class="whole" x1="{at}" y1="0" x2="{at}" y2="{_HEIGHT}"/>')
        if math.isfinite(rate):
            at = self.x(rate)
            parts.append(f'<path class="probe-biased" d="M{at} {middle - 5.5}l5.5 5.5l-5.5 5.5l-5.5 -5.5z"/>')
        if math.isfinite(predicted):
            parts.append(f'<circle class="probe-causal" cx="{self.x(predicted)}" cy="{middle}" r="4.5"/>')
        return "".join([*parts, "</svg>"])


@dataclass(frozen=True)
class ChangeAxis:
    """As far to the left of 0 as to the right.

    Args:
        reach: Its right end, as a change of a probability.
        step: Between ticks.
    """

    reach: float
    step: float

    @classmethod
    def around(cls, shifts: Sequence[SubgroupShift]) -> ChangeAxis:
        """An axis that holds the changes of subgroups."""
        ends = [end for one in shifts for end in (one.mean, one.low, one.high)]
        most = max([0.0, *(abs(end) for end in ends if math.isfinite(end))])
        return cls(*next(pair for pair in _REACHES if most <= pair[0]))

    def x(self, change: float) -> float:
        """Place of a change."""
        return Axis(0.0, self.reach, _WIDTH / 2, _WIDTH - _EDGE)(change)

    def header(self) -> str:
        """The axis, in percentage points."""
        steps = round(self.reach / self.step)
        digits = 0 if _whole(self.step) else 1
        ticks = [
            _tick(self.x(at * self.step), number(at * self.step * 100, digits, signed=True))
            for at in range(-steps, steps + 1)
        ]
        return "".join([_open(""), *ticks, "</svg>"])

    def cell(self, one: SubgroupShift) -> str:
        """One row: a bar over the middle half of the changes, and a dot at the mean."""
        if not math.isfinite(one.mean):
            return ""
        middle, zero = _HEIGHT / 2, self.x(0)
        left, right = self.x(one.low), self.x(one.high)
        said = [number(change * 100, 1, signed=True) for change in (one.mean, one.low, one.high)]
        return (
            f"{_open('mean change {} percentage points, middle half {} to {}'.format(*said))}"
            f'<line class="whole" x1="{zero}" y1="0" x2="{zero}" y2="{_HEIGHT}"/>'
            f'<rect class="chance" x="{left}" y="7" width="{max(round(right - left, 1), 1)}" height="{_HEIGHT - 14}"/>'
            f'<circle class="probe-causal" cx="{self.x(one.mean)}" cy="{middle}" r="4.5"/></svg>'
        )


def movement_histogram(bins: Sequence[tuple[float, float, int]]) -> str:
    """How many patients' predictions change by how much; nothing where there is nobody.

    Args:
        bins: Lower end, upper end and number of patients, the middle one holding 0.
    """
    total = sum(n for _, _, n in bins)
    if not total:
        return ""
    width, height, left, bottom, top = 760, 210, 46, 42, 8
    most = max(n for _, _, n in bins) / total
    end = next(limit for limit in _TOPS if most <= limit + 1e-9)
    room = width - left - 10

    x = Axis(bins[0][0], bins[-1][1], left, left + room)
    y = Axis(0.0, end, height - bottom, top)
    parts = [f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="Changes of predictions by averaging">']
    for tick in (0.0, end / 2, end):
        parts.append(grid_line(left, y(tick), width - 10, y(tick)))
        parts.append(tick_left(left, y(tick), percent(tick, 0 if _whole(tick) else 1)))
    for low, high, n in bins:
        style = "still" if low < 0 < high else "down" if high <= 0 else "up"
        bar = max(round(x(high) - x(low) - 1.5, 1), 0.5)
        parts.append(
            f'<rect class="move-{style}" x="{x(low)}" y="{y(n / total)}" width="{bar}" '
            f'height="{round(y(0) - y(n / total), 1)}"><title>{n}</title></rect>'
        )
    half, bin_width = len(bins) // 2, bins[0][1] - bins[0][0]
    every = max(1, math.ceil(half / 4))
    digits = 0 if _whole(bin_width) else 1
    for at in range(-(half // every) * every, half + 1, every):
        shown = number(at * bin_width * 100, digits, signed=True)
        parts.append(tick_text(x(at * bin_width), y(0) + 15, shown))
    label = "change of the prediction by averaging, percentage points (height: share of patients)"
    parts.append(axis_label(left + room / 2, height - 6, label))
    return "".join([*parts, "</svg>"])
