"""The picture of costs and gains: who is drawn, and on which side."""

from __future__ import annotations

import math
import re

from gdsfd.comparison.tradeoff_plot import Mark, tradeoff_plot


def test_the_plane_shows_marks_with_both_figures_only():
    alone = (math.nan, math.nan)
    marks = [
        Mark((-0.02, -0.03, -0.01), (0.05, 0.03, 0.07), "full", "circle", "full on muse"),
        Mark((math.nan, *alone), (0.05, *alone), "dfd", "square", "dfd on muse"),
        Mark((-0.02, *alone), (0.08, *alone), "oracle", "star", "oracle"),
    ]
    drawn = tradeoff_plot(marks, "cost", "gain", "what")
    assert drawn.count('class="mark') == 2
    assert drawn.count('class="span') == 2  # one mark has intervals
    assert "nan" not in drawn
    assert "<title>ERM</title>" in drawn
    assert tradeoff_plot([], "cost", "gain", "what").count('class="mark') == 0


def test_a_gain_is_above_and_a_cost_left_of_erm():
    alone = (math.nan, math.nan)
    drawn = tradeoff_plot([Mark((-0.02, *alone), (0.05, *alone), "full", "square", "x")], "cost", "gain", "what")
    left, top = map(float, re.search(r'<path class="mark full" d="M([\d.]+) ([\d.]+)', drawn).groups())
    zero_x, zero_y = map(float, re.search(r'class="origin" cx="([\d.]+)" cy="([\d.]+)"', drawn).groups())
    assert left < zero_x
    assert top < zero_y
