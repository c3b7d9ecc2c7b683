"""Calibration: the curve, its error, the error less its noise, the error by chance, the recalibration line."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from gdsfd.evaluation.metrics.calibration import (
    bin_numbers,
    calibration_bins,
    calibration_line,
    ece,
    ece_by_chance,
    ece_debiased,
)
from tests.evaluation.scores import made


def slow_ece(y, p, bins):
    """Sorted, cut in parts of equal size, one after the other."""
    order = np.argsort(p, kind="stable")
    parts = np.array_split(order, bins)
    return sum(len(part) / len(y) * abs(y[part].mean() - p[part].mean()) for part in parts)


def test_equal_to_the_slow_way_without_ties():
    y, p = made(500)
    assert ece(y, p, 10) == pytest.approx(slow_ece(y, p, 10))
    assert calibration_bins(y, p, 10).count.tolist() == [50] * 10


def test_equal_scores_share_a_bin_and_no_bin_is_empty():
    p = np.array([0.1] * 50 + [0.5] * 3 + [1.0] * 47)
    number = bin_numbers(p, 10)
    assert all(len(set(number[p == value])) == 1 for value in set(p))
    assert np.bincount(number).min() > 0
    assert bin_numbers(np.empty(0)).size == 0


def test_a_score_of_one_counts():
    # Bins of equal width that are closed on the left lose it.
    assert ece(np.zeros(10), np.ones(10)) == pytest.approx(1.0)


def test_undefined_for_nobody():
    empty = np.empty(0)
    assert math.isnan(ece(empty, empty))
    assert math.isnan(ece_debiased(empty, empty))
    assert calibration_bins(empty, empty).count.size == 0


def test_debiasing_removes_noise_of_a_calibrated_score_and_keeps_a_real_gap():
    rng = np.random.default_rng(0)
    plain, debiased, real = [], [], []
    for _ in range(40):
        p = rng.uniform(0.1, 0.9, 400)
        y = (rng.random(400) < p).astype(float)
        plain.append(ece(y, p))
        debiased.append(ece_debiased(y, p))
        real.append(ece_debiased((rng.random(400) < np.clip(p - 0.2, 0, 1)).astype(float), p))
    assert np.mean(debiased) < 0.7 * np.mean(plain)
    assert 0.15 < np.mean(real) < 0.25


def test_a_calibrated_score_exceeds_the_level_by_chance_about_one_time_in_twenty():
    rng = np.random.default_rng(1)
    exceeded = 0
    for _ in range(200):
        p = rng.uniform(0.05, 0.6, 300)
        y = (rng.random(300) < p).astype(float)
        exceeded += ece(y, p) > ece_by_chance(p, rng)
    assert 2 <= exceeded <= 22


def test_the_line_equals_a_logistic_fit():
    y, p = made(800)
    _, slope = calibration_line(y, p, np.arange(800))
    fit = LogisticRegression(C=1e9, tol=1e-10, max_iter=1000).fit(logit(p)[:, None], y)
    assert slope.value == pytest.approx(fit.coef_[0, 0], abs=1e-4)


def test_the_line_finds_what_was_planted():
    rng = np.random.default_rng(0)
    x = rng.normal(-1, 1.5, 20000)
    y = (rng.random(20000) < expit(0.5 * x)).astype(float)
    _, slope = calibration_line(y, expit(x), np.arange(20000))
    assert slope.low < 0.5 < slope.high
    shifted = (rng.random(20000) < expit(x - 0.7)).astype(float)
    intercept, slope = calibration_line(shifted, expit(x), np.arange(20000))
    assert intercept.low < -0.7 < intercept.high
    assert slope.low < 1 < slope.high


def test_repeating_every_patient_as_the_same_subject_leaves_the_interval_as_it_was():
    y, p = made(300)
    _, once = calibration_line(y, p, np.arange(300))
    _, twice = calibration_line(np.tile(y, 2), np.tile(p, 2), np.tile(np.arange(300), 2))
    _, naive = calibration_line(np.tile(y, 2), np.tile(p, 2), np.arange(600))
    assert twice.high - twice.low == pytest.approx(once.high - once.low, rel=1e-6)
    assert naive.high - naive.low < 0.8 * (once.high - once.low)


@pytest.mark.parametrize(
    ("y", "p", "reason"),
    [
        ([0.0] * 10, [0.1] * 10, "no positive"),
        ([0.0] * 10 + [1.0] * 10, [0.1] * 10 + [0.9] * 10, "no finite solution"),
        ([0.0, 1.0] * 10, [0.5] * 20, "all predicted probabilities are equal"),
    ],
)
def test_a_slope_that_does_not_exist_has_a_reason(y, p, reason):
    _, slope = calibration_line(np.array(y), np.array(p), np.arange(len(y)))
    assert math.isnan(slope.value)
    assert reason in slope.reason
