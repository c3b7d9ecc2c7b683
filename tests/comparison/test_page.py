from __future__ import annotations

import math
import re

from gdsfd.comparison.page import page
from gdsfd.comparison.summary import summarise
from gdsfd.comparison.tradeoff_plot import Mark, tradeoff_plot

ERM = {0: 0.80, 1: 0.82}
FULL = {0: 0.86, 1: 0.87}


def test_the_page_is_self_contained_and_escapes_names(lines):
    arms = {"none": ERM, "full": FULL, "full (forced)": FULL, "oracle": {0: 0.9, 1: 0.92}, "boosting": {0: 0.8, 1: 0.8}}
    records = lines(arms, guard={0: "debiased", 1: "reference"}, design="<ward>")
    text = page(summarise(records), {"training": "members = 1"}, ["mind & this"])
    assert "http" not in text.replace("http-equiv", "")
    assert not re.search(r'(src|href)="(?!data:)', text)
    assert "&lt;ward&gt;" in text
    assert "<ward>" not in text
    assert "mind &amp; this" in text
    assert "debiased used in 1 of 2 fits" in text
    assert '<svg class="plane"' in text


def test_one_seed_no_shift_and_nothing(lines):
    alone = lines({"none": {0: 0.8}, "full": {0: 0.81}}, split="test", alike=0.81)
    assert '<svg class="plane"' not in page(summarise(alone), {})
    assert "Nothing to compare" in page(summarise(lines({"none": {0: 0.8}})), {})
    assert page([], {})


def test_environments_have_columns(lines):
    erm = {(seed, name): 0.7 + 0.01 * seed for seed in range(2) for name in ("north", "south")}
    text = page(summarise(lines({"none": erm, "full": dict(erm)})), {})
    assert "By held-out environment" in text
    assert ">north</th>" in text


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
