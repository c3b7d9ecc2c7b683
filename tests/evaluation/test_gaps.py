"""Gaps between slices, with fairlearn as the oracle of the rates."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gdsfd.evaluation.bootstrap import SubjectBootstrap
from gdsfd.evaluation.gaps import gaps_of
from gdsfd.evaluation.operating_point import OperatingPoint
from gdsfd.evaluation.score import Rules
from gdsfd.evaluation.slices import Slice, score_slices
from tests.evaluation.scores import made, target

POINT = OperatingPoint(0.3, 0.8, 0.8)


@pytest.fixture(scope="module")
def groups():
    return np.random.default_rng(3).choice(["A", "B", "C"], 300, p=[0.6, 0.38, 0.02])


def gaps(y, p, groups, kind="group: sex"):
    slices = [Slice(kind, name, groups == name) for name in "ABC"]
    bootstrap = SubjectBootstrap([str(row) for row in range(len(y))], 100)
    rules = Rules(resamples=100)
    return {gap.figure: gap for gap in gaps_of(slices, score_slices(slices, target(y, p), bootstrap, POINT, rules))}


def test_equal_to_fairlearn_where_every_group_is_large(groups):
    pytest.importorskip("fairlearn", reason="fairlearn is not installed (extra: fairness)")
    from gdsfd.evaluation.fairness import metric_frame

    y, p = made(300)
    found = gaps(y, p, groups)
    frame = metric_frame(y[groups != "C"], p[groups != "C"], groups[groups != "C"], 0.3)
    for figure in ("tpr", "fpr"):
        assert found[figure].estimate.value == pytest.approx(frame.difference()[figure])
        assert found[figure].estimate.low <= found[figure].estimate.value <= found[figure].estimate.high


def test_the_tiny_group_is_left_out_and_counted(groups):
    found = gaps(*made(300), groups)
    for gap in found.values():
        assert {gap.highest, gap.lowest} == {"A", "B"}
        assert (gap.compared, gap.left_out) == (2, 1)


def test_one_group_has_no_gap():
    found = gaps(*made(300), np.full(300, "A"))
    for gap in found.values():
        assert math.isnan(gap.estimate.value)
        assert "fewer than two of 3" in gap.estimate.reason


def test_patterns_and_modalities_have_no_gap(groups):
    assert gaps(*made(300), groups, kind="pattern") == {}
