from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from gdsfd.fusion_study.availability_gap import (
    correlation_with_missing,
    gap_by_availability,
    pattern_weights,
    presence_rates,
)
from gdsfd.fusion_study.fairness import Judged


def test_a_gap_that_is_all_availability_goes_away():
    """Who has the second modality is ranked well; group 1 has it less often. Nothing else differs."""
    random = np.random.default_rng(0)
    code = np.tile([0, 1], 3000).astype(np.int16)
    y = (random.random(6000) < 0.3).astype(float)
    has = random.random(6000) < np.where(code == 1, 0.3, 0.9)
    p = 1 / (1 + np.exp(-(np.where(has, 2.5, 0.5) * y + random.normal(size=6000))))
    pattern = np.where(has, "11", "10")
    rows = np.arange(6000)
    each = Judged(("a", "b"), {}, code, y, rows, {0: rows}, {("one", 0): p}, {("one", 0): 0.8})
    found = gap_by_availability(each, "one", pattern).set_index("figure").loc["auroc"]
    assert found["gap"] > 0.12
    assert found["gap_same_patterns"] < 0.04
    assert found["by_availability"] == pytest.approx(found["gap"] - found["gap_same_patterns"])
    assert found["covered"] == 1
    facts = pd.DataFrame({"group:ward": code, "has:labs": True, "has:image": has})
    rates = presence_rates(facts, "ward")
    assert rates["image"].tolist() == pytest.approx([has[code == 0].mean(), has[code == 1].mean()])
    assert rates[["n", "labs"]].to_numpy().tolist() == [[3000, 1], [3000, 1]]


def test_weighted_groups_have_the_pooled_patterns():
    random = np.random.default_rng(1)
    code, y = random.integers(-1, 3, 300).astype(np.int16), (random.random(300) < 0.4).astype(float)
    pattern = random.choice(["10", "11", "01"], 300)
    pattern[code == 0] = np.where(pattern[code == 0] == "01", "10", pattern[code == 0])  # group 0 lacks 01
    weights = pattern_weights(code, y, pattern, 3)
    assert (weights[(code < 0) | (pattern == "01")] == 0).all()
    for label in (0, 1):
        common = (y == label) & (code >= 0) & (pattern != "01")
        share = (pattern[common] == "11").mean()
        for group in range(3):
            own = common & (code == group)
            assert weights[own & (pattern == "11")].sum() / weights[own].sum() == pytest.approx(share)


def test_the_correlation_with_what_is_missing_needs_eight_groups():
    random = np.random.default_rng(2)
    groups, size = 8, 400
    code = np.repeat(np.arange(groups), size).astype(np.int16)
    y = (random.random(groups * size) < 0.3).astype(float)
    lacking = pd.Series(np.linspace(0.1, 0.8, groups), index=[f"ward {number}" for number in range(groups)])
    p = 1 / (1 + np.exp(-(2.5 * (1 - lacking.to_numpy()[code]) * y + random.normal(size=len(y)))))
    rows = np.arange(len(y))
    each = Judged(tuple(lacking.index), {}, code, y, rows, {0: rows}, {("one", 0): p}, {("one", 0): 0.6})
    found = correlation_with_missing(each, "one", lacking[::-1]).set_index("figure")
    areas = [roc_auc_score(y[code == number], p[code == number]) for number in range(groups)]
    r = np.corrcoef(lacking, areas)[0, 1]
    assert found.loc["auroc", "correlation"] == pytest.approx(r)
    ends = np.tanh(np.arctanh(r) + np.array([-1, 1]) * 1.959964 / np.sqrt(groups - 3))  # Fisher's, by hand
    assert found.loc["auroc", ["correlation_low", "correlation_high"]].tolist() == pytest.approx(ends)
    assert r < -0.8
    fewer = Judged(each.names[:7], {}, np.where(code < 7, code, -1), y, rows, each.rows, each.p, each.thresholds)
    table = correlation_with_missing(fewer, "one", lacking)
    assert table["correlation"].isna().all()
    assert (table["groups"] == 7).all()
