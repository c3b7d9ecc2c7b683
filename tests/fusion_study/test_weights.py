from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import expit
from sklearn.metrics import roc_auc_score

from gdsfd.errors import InputError
from gdsfd.fusion_study.group_figures import weighted_auroc
from gdsfd.fusion_study.weights import (
    _lowest_mean,
    _worst_gain,
    inverse_weights,
    propensity,
    tipping_point,
    weighted_gain,
)


def test_an_image_ordered_by_severity():
    random = np.random.default_rng(3)
    x, image = random.normal(size=(2, 12000))
    y = (random.random(12000) < expit(-1.5 + 1.6 * x + image)).astype(float)
    has = random.random(12000) < np.clip(expit(4 * (x - 0.7)), 0.03, 0.97)
    both, subject = 1.6 * x + image, np.arange(12000)
    weights = inverse_weights(has, propensity(has, np.column_stack([x, x**2, x**3]), subject, folds=3))
    truth = roc_auc_score(y, both) - roc_auc_score(y, x)
    naive = weighted_gain(y[has], both[has], x[has], np.ones(has.sum()), subject[has], 40)
    found = weighted_gain(y[has], both[has], x[has], weights.values, subject[has], 40)
    assert naive.value == pytest.approx(0.09, abs=0.02)
    assert naive.value - truth > 0.02
    assert found.value == pytest.approx(truth, abs=0.02)
    assert found.low < truth < found.high
    assert 1 < tipping_point(y[has], both[has], x[has], weights.values) < 5


def test_propensities_of_a_known_practice():
    random = np.random.default_rng(0)
    x = random.normal(size=(3000, 2))
    chance = expit(x[:, 0] - 0.5)
    has = random.random(3000) < chance
    x[::7, 1] = np.nan
    for model in ("logistic", "boosting"):
        found = propensity(has, x, np.arange(3000) // 2, model, folds=2)
        assert np.abs(found - chance).mean() < (0.03 if model == "logistic" else 0.08)
    chosen = propensity(has, x, np.arange(3000) // 2, folds=2)
    assert np.array_equal(chosen, propensity(has, x, np.arange(3000) // 2, "logistic", folds=2))  # as practice is
    bent = random.random(3000) < expit(2 * np.abs(x[:, 0]) - 2)  # no straight line follows it
    assert np.array_equal(
        propensity(bent, x, np.arange(3000), folds=2), propensity(bent, x, np.arange(3000), "boosting", folds=2)
    )
    with pytest.raises(InputError, match="expected 5 subjects with and without the modality, got 3"):
        propensity(np.arange(3000) < 3, x, np.arange(3000))


def test_weights_by_hand():
    has = np.array([True] * 4 + [False] * 4)
    found = inverse_weights(has, np.array([0.5, 0.5, 0.25, 0.01, 0.01, 0.5, 0.5, 0.5]), 75)
    most = np.percentile([2, 2, 4, 100], 75)
    assert found.values.tolist() == [2, 2, 4, most]
    assert found.clipped == 1
    assert found.effective == pytest.approx((8 + most) ** 2 / (24 + most**2))
    assert found.warning.startswith("25% of patients")
    assert inverse_weights(has, np.full(8, 0.5)).warning == ""


def test_the_weighted_gain_is_that_of_repeated_patients():
    random = np.random.default_rng(1)
    y, p, q = (random.random(80) < 0.4).astype(float), random.random(80), random.random(80)
    counts = random.integers(1, 4, 80)
    many = np.repeat(np.arange(80), counts)
    found = weighted_gain(y, p, q, counts.astype(float), np.arange(80), 30)
    assert found.value == pytest.approx(roc_auc_score(y[many], p[many]) - roc_auc_score(y[many], q[many]))
    assert "one class" in weighted_gain(np.ones(3), p[:3], q[:3], np.ones(3), np.arange(3), 30).reason


def test_the_lowest_mean_by_trying_all_corners():
    random = np.random.default_rng(2)
    values, low = random.normal(size=8), random.uniform(0.5, 1, 8)
    high = low + random.uniform(0, 3, 8)
    corners = [np.where([number >> bit & 1 for bit in range(8)], high, low) for number in range(256)]
    found = _lowest_mean(values, low, high)
    assert found @ values / found.sum() == pytest.approx(min(one @ values / one.sum() for one in corners))


def test_the_worst_gain_by_trying_all_corners_and_the_tipping_point():
    random = np.random.default_rng(4)
    y = np.repeat([0.0, 1.0], [6, 5])
    p, q, weights = y + random.normal(0, 0.6, 11), y + random.normal(0, 1.5, 11), random.uniform(1.2, 4, 11)

    def gain(own: np.ndarray) -> float:
        return roc_auc_score(y, p, sample_weight=own) - roc_auc_score(y, q, sample_weight=own)

    low, high = 1 + (weights - 1) / 1.5, 1 + (weights - 1) * 1.5
    corners = [np.where([number >> bit & 1 for bit in range(11)], high, low) for number in range(2048)]
    every = weighted_auroc(y, p, np.array(corners)) - weighted_auroc(y, q, np.array(corners))
    assert _worst_gain(y, p, q, weights, 1.5) == pytest.approx(every.min(), abs=0.01)
    assert gain(weights) > 0
    point = tipping_point(y, p, q, weights)
    if math.isfinite(point):
        assert _worst_gain(y, p, q, weights, point) <= 0 < _worst_gain(y, p, q, weights, point * 0.99)
    assert tipping_point(y, q, p, weights) == 1.0
