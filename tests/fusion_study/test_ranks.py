from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kendalltau
from sklearn.metrics import roc_auc_score

from gdsfd.fusion_study.ranks import kendall_tau, normalised_area, rank_survival, regret


@pytest.fixture(scope="module")
def predictions() -> pd.DataFrame:
    """Four learners of rising noise naturally; hidden, the best becomes the worst."""
    random = np.random.default_rng(0)
    y, ids = (random.random(200) < 0.4).astype(float), [f"p{each}" for each in range(200)]
    rows = [
        pd.DataFrame({"id": ids, "subject": ids, "y": y, "p": y + noise * random.normal(size=200)}).assign(
            learner=f"l{number}", condition=condition, seed=seed, target="event"
        )
        for condition, noises in (("natural", (0.5, 1, 2, 4)), ("hidden", (8, 1, 2, 4)))
        for number, noise in enumerate(noises)
        for seed in (0, 1)
    ]
    return pd.concat(rows, ignore_index=True)


def test_tau_and_its_interval_by_loops(predictions):
    def tau(rows: np.ndarray) -> float:
        areas = {}
        for key, own in predictions.groupby(["condition", "learner"]):
            seeds = [roc_auc_score(*each[["y", "p"]].to_numpy()[rows].T) for _, each in own.groupby("seed")]
            areas[key] = np.mean(seeds)
        orders = [[areas[name, f"l{each}"] for each in range(4)] for name in ("natural", "hidden")]
        return float(kendalltau(*orders).statistic)

    found = rank_survival(predictions, "event", "natural", "hidden", 200)
    random = np.random.default_rng(1)
    assert found.value == pytest.approx(tau(np.arange(200)))
    slow = [tau(random.integers(0, 200, 200)) for _ in range(40)]
    assert found.low <= np.median(slow) <= found.high
    assert found.low == pytest.approx(np.quantile(slow, 0.025), abs=0.35)


def test_the_same_condition_keeps_its_order(predictions):
    found = rank_survival(predictions, "event", "natural", "natural", 40)
    assert (found.value, found.low, found.high) == pytest.approx((1, 1, 1))
    one = predictions[predictions["learner"] == "l0"]
    assert "fewer than two learners" in rank_survival(one, "event", "natural", "hidden", 40).reason


def test_regret_and_area():
    assert regret([0.8], [0.85]) == pytest.approx([-0.05])
    assert normalised_area([0, 0.25, 1], [0.8, 0.6, 0.6], 0.6, 0.8) == pytest.approx(0.125)
    assert math.isnan(normalised_area([0, 1], [0.8, 0.7], 0.8, 0.8))


def test_tau_is_that_of_scipy_with_ties_and_without():
    random = np.random.default_rng(0)
    first, second = random.integers(0, 4, (6, 20)).astype(float), random.normal(size=(6, 20))
    first[:, 0] = 1.0
    expected = [kendalltau(one, other).statistic for one, other in zip(first.T, second.T)]
    np.testing.assert_allclose(kendall_tau(first, second), expected)
