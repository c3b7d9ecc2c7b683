"""How predictions move: figures against slow counts, groups of patients, bins."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gdsfd.evaluation.report.sections.strata.movement import subgroup_shifts
from gdsfd.graph.from_cohort import graph_from_cohort
from tests.cohort_factory import make_cohort
from tests.evaluation.report.sections.strata.hand_made import moved


def test_figures():
    one = moved([0.1, 0.2, 0.3, 0.4], [0.15, 0.195, 0.27, 0.42], [0, 1, 0, 1])
    change = np.array([0.05, -0.005, -0.03, 0.02])
    everyone = one.everyone
    assert everyone.mean == pytest.approx(change.mean())
    assert everyone.size == pytest.approx(np.abs(change).mean())
    assert (everyone.low, everyone.high) == pytest.approx(tuple(np.quantile(change, (0.25, 0.75))))
    assert (everyone.up, everyone.down) == (0.5, 0.25)  # less than a point is not counted
    assert one.spread == pytest.approx(0.3)
    assert one.agreement == pytest.approx(1.0)
    assert one.quantiles["0.5"] == pytest.approx(np.median(change))
    assert one.auroc["observed"].value == pytest.approx(0.75)
    assert one.auroc["difference"].value == pytest.approx(0)


def test_better_ranks_are_seen_in_the_difference():
    y = np.tile([0, 1], 100)
    one = moved(np.linspace(0, 1, 200), 0.3 + 0.4 * y + np.linspace(0, 0.1, 200), y)
    assert one.auroc["intervened"].value == 1
    assert one.auroc["difference"].low > 0.3


def test_bins_hold_everybody_and_zero_is_in_the_middle():
    rng = np.random.default_rng(0)
    one = moved(np.full(500, 0.5), 0.5 + 0.03 * rng.standard_normal(500))
    assert sum(n for _, _, n in one.bins) == 500
    low, high, _ = one.bins[len(one.bins) // 2]
    assert low == pytest.approx(-high)
    assert [low for low, _, _ in one.bins[1:]] == [high for _, high, _ in one.bins[:-1]]
    far = moved([0.5] * 200, [0.5] * 199 + [0.99])  # one far away is in the last bin
    assert sum(n for _, _, n in far.bins) == 200
    assert far.bins[-1][2] == 1


@pytest.mark.parametrize("n", [0, 1])
def test_nobody_and_one_patient(n):
    one = moved([0.4] * n, [0.5] * n)
    assert one.everyone.patients == n
    assert one.everyone.mean == pytest.approx(0.1 if n else math.nan, nan_ok=True)
    assert math.isnan(one.agreement)
    assert not one.auroc["difference"].defined
    assert sum(count for _, _, count in one.bins) == n


def test_thirds_by_risk_hold_each_patient_once():
    one = moved([0.3, 0.1, 0.2, 0.6, 0.5], [0.3, 0.2, 0.2, 0.5, 0.5])
    thirds = [each for each in one.shifts if each.kind == "risk"]
    assert [each.patients for each in thirds] == [2, 2, 1]
    assert thirds[0].observed == pytest.approx(0.15)
    assert not [each for each in moved([0.2] * 9, [0.3] * 9).shifts if each.kind == "risk"]


def test_crowds_cover_the_split_and_leave_small_ones_together():
    graph = graph_from_cohort(make_cohort(400))
    rows = np.flatnonzero(np.asarray(graph["patient"].split) == "test")
    found = subgroup_shifts(graph, rows, 15)
    assert {kind for kind, *_ in found} == {"environment", "pattern", "modality", "group: sex"}
    places = [mask for kind, _, mask, _ in found if kind == "environment"]
    np.testing.assert_array_equal(np.sum(places, axis=0), 1)
    patterns = [(mask, pooled) for kind, _, mask, pooled in found if kind == "pattern"]
    assert np.sum([mask for mask, _ in patterns], axis=0).max() == 1
    assert patterns[-1][1] > 1
    for _, _, mask, _ in found:
        assert mask.sum() >= 15
    for kind, _, mask, _ in found:
        assert kind != "modality" or mask.sum() < len(rows)
    assert all(kind == "modality" or pooled for kind, _, _, pooled in subgroup_shifts(graph, rows, len(rows)))
