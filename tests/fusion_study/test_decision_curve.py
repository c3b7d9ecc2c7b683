"""Net benefit by counting, and its difference against scores that are known."""

from __future__ import annotations

import numpy as np
import pytest

from gdsfd.fusion_study.decision_curve import THRESHOLDS, decision_curve, net_benefit
from tests.fusion_study.material import material

SHIFTS = {("boosting", "natural"): 2.0, ("boosting, only labs", "natural"): 0.5}


def counted(y, p, threshold):
    true = sum(1 for label, risk in zip(y, p, strict=True) if label == 1 and risk >= threshold)
    false = sum(1 for label, risk in zip(y, p, strict=True) if label == 0 and risk >= threshold)
    return true / len(y) - false / len(y) * threshold / (1 - threshold)


def test_net_benefit_by_counting():
    random = np.random.default_rng(0)
    y, p = (random.random(50) < 0.3).astype(float), random.random(50).round(1)
    at = np.array([0.1, 0.3, 0.5, 0.9])
    assert net_benefit(y, p, at) == pytest.approx([counted(y, p, each) for each in at])
    assert net_benefit(y, np.zeros(50), at) == pytest.approx(0)  # nobody is treated


def test_the_curve_is_the_mean_over_seeds_and_the_difference_has_an_interval():
    made = material(SHIFTS, patients=600)
    table = decision_curve(made, "boosting", "boosting, only labs")
    assert table["threshold"].tolist() == list(THRESHOLDS)
    row = table[table["threshold"] == 0.4].iloc[0]
    by_seed = []
    for seed in made.plan.seeds:
        own = made.predictions[made.predictions["seed"] == seed]
        values = [
            counted(each["y"], each["p"], 0.4)
            for each in (own[own["learner"] == name] for name in ("boosting", "boosting, only labs"))
        ]
        by_seed.append(values)
    assert (row["learner"], row["reference"]) == pytest.approx(tuple(np.mean(by_seed, axis=0)))
    assert row["difference"] == pytest.approx(row["learner"] - row["reference"])
    assert 0 < row["difference_low"] < row["difference"] < row["difference_high"]
    prevalence = made.predictions.drop_duplicates("id")["y"].mean()
    assert row["everybody"] == pytest.approx(prevalence - (1 - prevalence) * 0.4 / 0.6)


def test_with_one_split_there_is_no_interval():
    table = decision_curve(material(SHIFTS, same_patients=True), "boosting", "boosting, only labs")
    assert table["difference"].notna().all()
    assert table["difference_low"].isna().all()
