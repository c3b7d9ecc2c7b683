"""Gaps between slices, with fairlearn as the oracle of the rates."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import beta
from sklearn.metrics import roc_auc_score

from gdsfd.evaluation.config import EvaluationConfig
from gdsfd.evaluation.metrics.bootstrap import SubjectBootstrap
from gdsfd.evaluation.metrics.operating_point import OperatingPoint
from gdsfd.evaluation.subgroups.gaps import gaps_of
from gdsfd.evaluation.subgroups.slices import Slice, score_slices
from tests.evaluation.scores import made, target

POINT = OperatingPoint(0.3, 0.8, 0.8)


@pytest.fixture(scope="module")
def groups():
    return np.random.default_rng(3).choice(["A", "B", "C"], 300, p=[0.6, 0.38, 0.02])


def gaps(y, p, groups, kind="group: sex"):
    slices = [Slice(kind, name, groups == name) for name in "ABC"]
    bootstrap = SubjectBootstrap([str(row) for row in range(len(y))], 100)
    own = target(y, p)
    scored = score_slices(slices, own, bootstrap, POINT, EvaluationConfig(resamples=100))
    return {gap.figure: gap for gap in gaps_of(slices, scored, own, bootstrap.code, POINT.threshold)}


def test_equal_to_fairlearn_where_every_group_is_large(groups):
    fairlearn = pytest.importorskip("fairlearn.metrics", reason="fairlearn is not installed (extra: dev)")
    y, p = made(300)
    found, large = gaps(y, p, groups), groups != "C"
    frame = fairlearn.MetricFrame(
        metrics={"tpr": fairlearn.true_positive_rate, "fpr": fairlearn.false_positive_rate},
        y_true=y[large].astype(int),
        y_pred=(p[large] >= 0.3).astype(int),
        sensitive_features=groups[large],
    )
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


def test_pooled_small_environments_are_no_environment():
    """An oracle by hand: the pool holds the highest and the lowest figure, and enters no gap."""
    rng = np.random.default_rng(0)
    site = np.repeat(["big", "large", "tiny 1", "tiny 2"], [200, 200, 20, 20])
    y = (rng.random(440) < 0.4).astype(float)
    p = np.clip(0.25 * y + 0.5 * rng.random(440), 0, 1)
    tiny = np.char.startswith(site, "tiny")
    p[tiny] = np.where(y[tiny] == 1, 0.99, 0.98)  # everybody flagged, and ranked perfectly
    slices = [Slice("environment", name, site == name) for name in np.unique(site)]
    slices.append(Slice("environment", "2 small environments", tiny, pooled=2))
    own, bootstrap = target(y, p), SubjectBootstrap([str(row) for row in range(440)], 100)
    scored = score_slices(slices, own, bootstrap, POINT, EvaluationConfig(resamples=100))
    assert scored[-1]["auroc"].value == 1  # the pool is large enough for figures, and extreme
    for gap in gaps_of(slices, scored, own, bootstrap.code, POINT.threshold):
        figures = {}
        for name in ("big", "large"):
            here, flagged = site == name, p >= POINT.threshold
            figures[name] = {
                "auroc": roc_auc_score(y[here], p[here]),
                "tpr": flagged[here & (y == 1)].mean(),
                "fpr": flagged[here & (y == 0)].mean(),
            }[gap.figure]
        assert {gap.highest, gap.lowest} == {"big", "large"}
        assert gap.estimate.value == pytest.approx(abs(figures["big"] - figures["large"]))
        assert (gap.compared, gap.left_out) == (2, 2)


def test_the_interval_allows_for_the_pick_among_many():
    y, p = made(1200, seed=2)
    groups = np.random.default_rng(1).choice(list("ABC"), 1200)
    three = gaps(y, p, groups)["tpr"]
    here = [target(y, p).among(groups == name) for name in (three.highest, three.lowest)]
    ends = []
    for one in here:
        hits, size = (one.p[one.y == 1] >= POINT.threshold).sum(), (one.y == 1).sum()
        tail = 0.05 / 3 / 2  # three pairs
        ends.append((beta.ppf(tail, hits, size - hits + 1), hits / size, beta.ppf(1 - tail, hits + 1, size - hits)))
    (a_low, a, a_high), (b_low, b, b_high) = ends
    assert three.estimate.low == pytest.approx(a - b - math.hypot(a - a_low, b_high - b))
    assert three.estimate.high == pytest.approx(a - b + math.hypot(a_high - a, b - b_low))
