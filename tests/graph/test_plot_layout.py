"""Panels beside each other: each text of the picture has the room that it needs."""

from __future__ import annotations

from typing import Any

import pytest
from matplotlib.figure import Figure

from gdsfd.graph.plot_layout import TITLE_SIZE, TITLES, Layout, inches, plain


def layout(**given: Any) -> Layout:
    texts: dict[str, Any] = {"names": ["labs", "notes"], "labels": ["all", "H1"], "sizes": ["40", "12"]}
    texts |= {"counts": ["30 (75 %)", "10 (25 %)"], "rate_title": "death rate, %", "series": 1, "rows": 2}
    return Layout.of(**{**texts, **given})


def test_names_are_drawn_as_they_are_written() -> None:
    assert plain("a  b\nc") == "a b c"
    assert plain("x" * 40) == "x" * 40
    assert plain("x" * 41) == "x" * 39 + "…"
    assert plain("costs $5") == r"costs \$5"


def test_widths_grow_with_text_and_size_and_blanks_have_none() -> None:
    assert inches("") == inches("  ") == 0
    assert inches("MMMM") > 3 * inches("M")
    assert inches("labs", 17.0) == pytest.approx(2 * inches("labs", 8.5))


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"names": [], "counts": [], "series": 0},
        {"names": [f"modality number {k}" for k in range(12)], "series": 6, "rows": 25},
        {"labels": ["a hospital with a name of forty letters"], "sizes": ["1,000,000"]},
        {"counts": ["123,456,789 (12.3 %)"], "rate_title": "rate of an outcome with a long name, %"},
    ],
)
def test_panels_stand_beside_each_other_with_room_for_their_texts(given: dict[str, Any]) -> None:
    found = layout(**given)
    labels, sizes = given.get("labels", ["all", "H1"]), given.get("sizes", ["40", "12"])
    assert found.heat_left > max(map(inches, labels)) + max(map(inches, sizes))
    assert max(found.heat_left + found.matrix_width, inches(TITLES[0], TITLE_SIZE)) < found.dots_left
    assert found.dots_left + found.matrix_width < found.bars_left
    assert found.bars_left + found.bars_width < found.rates_left
    assert found.bars_width > max(map(inches, given.get("counts", ["30 (75 %)"])), default=0)
    assert found.rates_left + found.rates_width < found.width
    assert found.head > found.slant


def test_without_outcomes_no_room_is_left_for_rates() -> None:
    assert layout(series=0).rates_width == 0
    assert layout(series=0).width < layout(series=1).width


def test_axes_have_one_unit_per_row_from_the_top() -> None:
    found = layout(rows=3)
    figure = Figure(figsize=(found.width, found.height))
    axes = found.axes(figure, found.heat_left, found.matrix_width, 2)
    assert axes.get_ylim() == (1.5, -0.5)
    box = axes.get_position()
    assert box.x0 * found.width == pytest.approx(found.heat_left)
    assert box.width * found.width == pytest.approx(found.matrix_width)
    other = found.axes(figure, found.dots_left, found.matrix_width, 3).get_position()
    assert box.y1 == pytest.approx(other.y1)  # both begin under the head
    assert other.height == pytest.approx(1.5 * box.height)
    assert (1 - box.y1) * found.height == pytest.approx(found.head)
