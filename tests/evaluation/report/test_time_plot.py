"""Curves over time as SVG."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from gdsfd.evaluation.report.svg import Line
from gdsfd.evaluation.report.time_plot import time_plot


def points(svg: str) -> list[list[tuple[float, float]]]:
    return [
        [tuple(map(float, pair.split(","))) for pair in found.split()]  # type: ignore[misc]
        for found in re.findall(r'points="([^"]*)"', svg)
    ]


def test_a_curve_begins_at_the_left_and_ends_at_the_right() -> None:
    svg = time_plot([Line([(0.0, 1.0), (200.0, 0.5)], "model")], 200.0, "days", "free", "A <plot>")
    ElementTree.fromstring(svg)
    ((left, top), (right, middle)) = points(svg)[0]
    assert (left, top) == (46, 10)
    assert right == 406
    assert middle == 148
    assert ">200<" in svg
    assert "A &lt;plot&gt;" in svg


def test_steps_hold_their_value_until_the_next() -> None:
    svg = time_plot([Line([(0.0, 1.0), (5.0, 0.5), (10.0, 0.5)], "first", steps=True)], 10.0, "t", "s", "p")
    drawn = points(svg)[0]
    assert [y for _, y in drawn] == [10, 10, 148, 148, 148]
    assert drawn[1][0] == drawn[2][0]


def test_what_lies_beyond_the_axes_is_cut() -> None:
    svg = time_plot([Line([(0.0, 3.0), (99.0, 0.0)], "model")], 10.0, "t", "s", "p", top=0.5)
    assert points(svg)[0] == [(46, 10), (406, 286)]
