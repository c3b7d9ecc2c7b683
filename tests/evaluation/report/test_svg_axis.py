"""Scales and ticks of the small pictures."""

from __future__ import annotations

from itertools import pairwise

import pytest

from gdsfd.evaluation.report.svg_axis import Axis, axis_label, round_ticks


def test_a_vertical_axis_runs_upwards():
    axis = Axis(-1.0, 1.0, 100, 0)
    assert [axis(value) for value in (-1, 0, 1)] == [100, 50, 0]


@pytest.mark.parametrize(("low", "high"), [(0.0, 0.1), (0.0, 0.3), (0.0, 0.6), (-0.013, 0.041), (-3.0, 1.0)])
def test_ticks_are_inside_few_and_evenly_spaced(low, high):
    ticks = round_ticks(low, high, (0.01, 0.02, 0.05, 0.1, 0.2), 6, 4)
    assert 2 <= len(ticks) <= 7
    assert low - 1e-9 <= min(ticks)
    assert max(ticks) <= high + 1e-9
    steps = [after - before for before, after in pairwise(ticks)]
    assert steps == pytest.approx([steps[0]] * len(steps))


def test_labels_are_escaped():
    assert "share &lt; 1" in axis_label(0, 0, "share < 1")
