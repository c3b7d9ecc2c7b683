"""Pictures: points where they belong, well-formed, inside the frame."""

from __future__ import annotations

import math
import xml.etree.ElementTree as ElementTree

import pytest

from gdsfd.evaluation.metrics.estimate import Estimate
from gdsfd.evaluation.report.svg import ForestAxis, Line, forest_cell, forest_header, line_plot


def test_a_plot_is_well_formed_and_its_corners_are_corners():
    text = line_plot([Line([(0, 0), (1, 1)], "model", [3, 9])], "a < b", "y", "ROC & co", reference=[(0, 0), (1, 1)])
    root = ElementTree.fromstring(text)
    reference, curve = (root.find(f"polyline[@class='{name}']").get("points") for name in ("reference", "curve model"))
    assert reference == curve
    small, large = (float(dot.get("r")) for dot in root.findall("circle"))
    assert small < large


@pytest.mark.parametrize("top", [0.1, 0.2, 0.3, 0.5, 0.8, 1.0])
def test_nothing_is_drawn_outside_the_frame(top):
    root = ElementTree.fromstring(
        line_plot([Line([(0, 0), (top, top)], "model")], "x", "y", "l", top, [(0, 0), (1, 1)])
    )
    for line in root.findall("polyline"):
        for point in line.get("points").split():
            assert all(0 <= float(number) <= 330 for number in point.split(","))


def test_forest_cells_keep_order_and_leave_out_what_is_not_there():
    axis = ForestAxis.around([Estimate(0.7, 0.43, 0.9), Estimate(math.nan, reason="tiny")], 0.8)
    assert axis.low == 0.4
    cell = ElementTree.fromstring(forest_cell(axis, Estimate(0.7, 0.43, 0.9), Estimate(0.6)))
    bar = cell.find("line[@class='bar']")
    assert float(bar.get("x1")) < float(cell.find("circle").get("cx")) < float(bar.get("x2"))
    empty = ElementTree.fromstring(forest_cell(axis, Estimate.undefined("tiny")))
    assert empty.find("circle") is None
    assert empty.find("line[@class='bar']") is None
    labels = [float(text.text) for text in ElementTree.fromstring(forest_header(axis)).findall("text")]
    assert labels == [1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4]
