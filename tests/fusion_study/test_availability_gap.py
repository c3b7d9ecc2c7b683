from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from gdsfd.fusion_study.availability_gap import gap_by_availability, pattern_weights, presence_rates
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
