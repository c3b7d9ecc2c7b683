"""Differences and means of figures with intervals."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gdsfd.evaluation.intervals.combined import difference_interval, mean_of_figures_interval, resampled_correlation
from gdsfd.evaluation.metrics.estimate import Estimate

A, B = Estimate(0.8, 0.7, 0.85), Estimate(0.6, 0.55, 0.68)


def test_symmetric_intervals_give_the_normal_formula():
    one, other = Estimate(0.8, 0.76, 0.84), Estimate(0.7, 0.67, 0.73)
    for r in (-0.5, 0.0, 0.9):
        half = math.sqrt(0.04**2 + 0.03**2 - 2 * r * 0.04 * 0.03)
        assert difference_interval(one, other, r) == pytest.approx((0.1 - half, 0.1 + half))


def test_the_ends_come_from_the_ends_that_matter():
    low, high = difference_interval(A, B)
    assert low == pytest.approx(0.2 - math.hypot(0.1, 0.08))
    assert high == pytest.approx(0.2 + math.hypot(0.05, 0.05))
    back = difference_interval(B, A)
    assert back == pytest.approx((-high, -low))


def test_a_mean_of_perfectly_correlated_figures_is_the_mean_of_the_ends():
    assert mean_of_figures_interval([A, B], np.ones((2, 2))) == pytest.approx((0.625, 0.765))
    low, high = mean_of_figures_interval([A, B], np.eye(2))
    assert low == pytest.approx(0.7 - math.hypot(0.1, 0.05) / 2)
    assert high == pytest.approx(0.7 + math.hypot(0.05, 0.08) / 2)


def test_the_correlation_leaves_undefined_resamples_out():
    x = np.random.default_rng(0).normal(size=50)
    y = x + np.random.default_rng(1).normal(size=50)
    expected = np.corrcoef(x[3:], y[3:])[0, 1]
    assert resampled_correlation(np.r_[np.full(3, np.nan), x[3:]], y) == pytest.approx(expected)
    assert resampled_correlation(np.ones(50), y) == 0
