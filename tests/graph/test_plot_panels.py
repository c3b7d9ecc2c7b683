"""The panels show the numbers they are given, at the places of these numbers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.stats import binomtest

from gdsfd.graph.plot_layout import Layout
from gdsfd.graph.plot_panels import MAX_SERIES, _ticks, _whole_percent, _wilson, draw_counts, draw_dots, draw_rates

LAYOUT = Layout.of(["labs", "notes", "scan"], ["all"], ["9"], ["9"], "rate", 1, 3)


@pytest.fixture
def axes() -> Axes:
    figure = Figure()
    return LAYOUT.axes(figure, 0.5, 2.0, 3)


def texts(axes: Axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


def points(axes: Axes) -> list[list[tuple[float, float]]]:
    return [[tuple(place) for place in group.get_offsets().tolist()] for group in axes.collections]


@pytest.mark.parametrize(("hits", "known"), [(0, 5), (5, 5), (1, 3), (17, 200), (1, 1)])
def test_intervals_are_wilson_s(hits: int, known: int) -> None:
    expected = binomtest(hits, known).proportion_ci(0.95, method="wilson")
    assert _wilson(hits, known) == pytest.approx((expected.low, expected.high), abs=2e-5)


@pytest.mark.parametrize(
    ("share", "text"),
    [(0, "0"), (1, "100"), (0.001, "<1"), (1 / 200, "<1"), (0.009, "1"), (0.994, "99"), (0.9999, "99")],
)
def test_zero_and_hundred_are_said_only_when_exact(share: float, text: str) -> None:
    assert _whole_percent(share) == text


@pytest.mark.parametrize("end", [0.05, 0.07, 0.2, 0.51, 0.99, 1.0])
def test_ticks_are_few_equally_spaced_and_within(end: float) -> None:
    found = _ticks(end)
    assert found[0] == 0
    assert 2 <= len(found) <= 6
    assert max(found) <= end
    assert np.ptp(np.diff(found)) == pytest.approx(0)


def test_dots_say_who_has_what(axes: Axes) -> None:
    flags = np.array([[True, False, True], [False, False, False], [True, True, True]])
    draw_dots(axes, LAYOUT, ["labs", "notes", "scan"], flags, "4 further patterns")
    absent, present = points(axes)
    assert set(present) == {(0, 0), (2, 0), (0, 2), (1, 2), (2, 2)}
    assert set(absent) == {(1, 0), (0, 1), (1, 1), (2, 1)}
    assert "4 further patterns" in texts(axes)


def test_bars_are_as_long_as_their_counts(axes: Axes) -> None:
    draw_counts(axes, [30, 7, 1], ["30", "7", "1"])
    assert [bar.get_width() for bar in axes.patches if hasattr(bar, "get_width") and bar.get_height() == 0.62] == [
        30,
        7,
        1,
    ]
    assert axes.get_xlim()[1] > 30
    assert texts(axes)[1:] == ["30", "7", "1"]


def test_one_rate_has_its_interval_and_says_where_there_is_no_label(axes: Axes) -> None:
    hits, known = np.array([[3], [0], [0]]), np.array([[10], [5], [0]])
    draw_rates(axes, "death rate, %", ["death"], hits, known, total=0.2)
    assert points(axes) == [[(0.3, 0.0)], [(0.0, 1.0)]]
    lines = [(line.get_xdata(), line.get_ydata()) for line in axes.lines]
    for (x, y), (row, pair) in zip(lines, enumerate([(3, 10), (0, 5)])):
        assert x == pytest.approx(_wilson(*pair))
        assert list(y) == [row, row]
    assert list(lines[2][0]) == [0.2, 0.2]  # all patients, dashed
    assert "no label" in texts(axes)


def test_rates_of_several_outcomes_stand_side_by_side_and_further_ones_are_counted(axes: Axes) -> None:
    names = [f"o{k}" for k in range(MAX_SERIES + 2)]
    hits = np.full((3, len(names)), 1)
    hits[2, 1] = 0
    known = np.full((3, len(names)), 2)
    known[0, 0] = 0
    draw_rates(axes, "outcome rates, %", names, hits, known, math.nan)
    found = [place for group in points(axes) for place in group]
    assert len(found) == 3 * MAX_SERIES - 1  # a point per row and outcome, but for the one without a label
    assert len(set(found)) == len(found)  # equal rates do not hide each other
    assert sorted({x for x, _ in found}) == [0.0, 0.5]
    assert sum("● o" in text for text in texts(axes)) == MAX_SERIES
    assert any(text.endswith("(and 2 more)") for text in texts(axes))
    assert not axes.lines
