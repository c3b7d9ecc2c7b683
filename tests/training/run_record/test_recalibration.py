"""The recalibration line: scikit-learn's unpenalised logistic regression on the log-odds."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from gdsfd.training.run_record.recalibration import fit_recalibration


def drawn(intercept: float, slope: float, n: int = 4000, seed: int = 0, spread: float = 1.0):
    rng = np.random.default_rng(seed)
    p = expit(rng.normal(-1, spread, n))
    return (rng.random(n) < expit(intercept + slope * logit(p))).astype(float), p


@pytest.mark.parametrize(("intercept", "slope", "spread"), [(0, 1, 1), (1, 0.5, 2), (-2, 2, 0.5), (60, 60, 0.02)])
def test_it_is_logistic_regression_on_the_log_odds(intercept, slope, spread):
    y, p = drawn(intercept, slope, spread=spread)
    line = fit_recalibration(y, p)
    x = (logit(p)[:, None] + 1) / spread  # of one scale, or the solver stops early
    oracle = LogisticRegression(C=np.inf, tol=1e-10, max_iter=10_000).fit(x, y)
    np.testing.assert_allclose(line.slope, oracle.coef_[0, 0] / spread, rtol=1e-3)
    np.testing.assert_allclose(line(p), oracle.predict_proba(x)[:, 1], atol=1e-4)
    np.testing.assert_allclose(line(p).mean(), y.mean())  # right on average, by the first score equation


def test_it_keeps_the_ranking_and_finds_its_way_back():
    y, p = drawn(1, 0.5, n=50_000)
    line = fit_recalibration(y, p)
    assert line.slope == pytest.approx(0.5, abs=0.03)
    assert line.intercept == pytest.approx(1, abs=0.05)
    order = np.argsort(p)
    assert (np.diff(line(p)[order]) >= 0).all()
    assert np.isfinite(line(np.array([0.0, 1.0]))).all()


@pytest.mark.parametrize(
    ("y", "p", "why"),
    [
        ([0.0] * 50 + [1.0] * 9, np.linspace(0.1, 0.9, 59), "only 9 positive patients"),
        ([], [], "no labelled patient"),
        ([0.0, 1.0] * 30, np.full(60, 0.3), "all tuning patients have the same risk"),
        ([0.0] * 30 + [1.0] * 30, np.linspace(0.1, 0.9, 60), "no finite solution"),  # parted without an error
        ([1.0] * 20 + [0.0, 1.0] * 5 + [0.0] * 20, np.linspace(0.1, 0.9, 50), "higher risks did not go with"),
    ],
)
def test_where_there_is_no_line_the_reason_is_given(y, p, why):
    line = fit_recalibration(np.array(y), np.array(p))
    assert why in line.reason
    assert np.isnan([line.intercept, line.slope]).all()
    assert np.isnan(line(np.array([0.5]))).all()
