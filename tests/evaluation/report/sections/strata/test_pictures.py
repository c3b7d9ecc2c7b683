"""Pictures of strata: marks stand where their figures say."""

from __future__ import annotations

import math
from xml.etree import ElementTree

import pytest

from gdsfd.evaluation.report.sections.strata.movement import SubgroupShift
from gdsfd.evaluation.report.sections.strata.pictures import ChangeAxis, ShareAxis, movement_histogram


def shift(mean: float, low: float, high: float) -> SubgroupShift:
    return SubgroupShift("all", "all", 10, 0.3, 0.3 + mean, abs(mean), low, high, 0.0, 0.0)


def test_a_share_axis_ends_above_all_it_holds():
    axis = ShareAxis.around([0.12, math.nan, 0.31], 0.2)
    assert axis.top == 0.4
    assert ShareAxis.around([math.nan], math.nan).top == 0.05
    assert ShareAxis.around([1.0], 0.5).top == 1.0
    texts = [one.text for one in ElementTree.fromstring(axis.header()) if one.tag == "text"]
    assert texts == ["0\xa0%", "10\xa0%", "20\xa0%", "30\xa0%", "40\xa0%"]


def test_a_cell_of_shares():
    axis = ShareAxis.around([0.1, 0.3], 0.2)
    root = ElementTree.fromstring(axis.cell(0.1, 0.3))
    assert root.get("aria-label") == "outcome 10.0\xa0%, predicted 30.0\xa0%"
    (dot,) = [one for one in root if one.get("class") == "probe-causal"]
    (line,) = [one for one in root if one.get("class") == "whole"]
    (mark,) = [one for one in root if one.get("class") == "probe-biased"]
    left = float(mark.get("d").split()[0][1:])
    assert left < float(line.get("x1")) < float(dot.get("cx"))
    assert "nan" not in axis.cell(math.nan, math.nan).replace("nan %", "")
    assert len(ElementTree.fromstring(axis.cell(math.nan, 0.1))) == 3  # title, line and dot


def test_a_change_axis_is_even_around_zero():
    axis = ChangeAxis.around([shift(-0.03, -0.04, 0.01)])
    assert axis.reach == 0.05
    assert axis.x(0) - axis.x(-0.02) == pytest.approx(axis.x(0.02) - axis.x(0))
    texts = [one.text for one in ElementTree.fromstring(axis.header()) if one.tag == "text"]
    assert texts == ["−5.0", "−2.5", "0.0", "+2.5", "+5.0"]
    root = ElementTree.fromstring(axis.cell(shift(-0.03, -0.04, 0.01)))
    (bar,) = [one for one in root if one.tag == "rect"]
    assert float(bar.get("x")) == axis.x(-0.04)
    assert float(bar.get("x")) + float(bar.get("width")) == pytest.approx(axis.x(0.01), abs=0.1)
    assert axis.cell(shift(math.nan, math.nan, math.nan)) == ""
    assert ChangeAxis.around([shift(math.nan, math.nan, math.nan)]).reach == 0.01


def test_a_histogram_has_a_bar_per_bin_as_high_as_its_share():
    bins = [(-0.015, -0.005, 1), (-0.005, 0.005, 3), (0.005, 0.015, 2)]
    root = ElementTree.fromstring(movement_histogram(bins))
    bars = [one for one in root if one.tag == "rect"]
    assert [one.get("class") for one in bars] == ["move-down", "move-still", "move-up"]
    heights = [float(one.get("height")) for one in bars]
    assert heights[1] == pytest.approx(3 * heights[0], abs=0.5)
    assert heights[2] == pytest.approx(2 * heights[0], abs=0.5)
    assert movement_histogram([]) == movement_histogram([(-0.005, 0.005, 0)]) == ""
