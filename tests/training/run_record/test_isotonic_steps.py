from __future__ import annotations

import numpy as np
import pytest
from sklearn.isotonic import IsotonicRegression

from gdsfd.training.run_record.isotonic_steps import fit_isotonic


def drawn(n: int = 400, seed: int = 0):
    rng = np.random.default_rng(seed)
    p = rng.uniform(0, 1, n)
    return (rng.random(n) < p**3).astype(float), p


def test_it_is_isotonic_regression_within_its_edges() -> None:
    y, p = drawn()
    curve = fit_isotonic(y, p)
    at = np.linspace(-0.1, 1.1, 500)
    oracle = IsotonicRegression(y_min=1 / 402, y_max=1 - 1 / 402, out_of_bounds="clip").fit(p, y).predict(at)
    np.testing.assert_allclose(curve(at), oracle, atol=1e-12)
    assert curve(at).min() == pytest.approx(1 / 402)
    assert (np.diff(curve(at)) >= 0).all()


@pytest.mark.parametrize(
    ("y", "p", "why"),
    [
        ([0.0] * 50 + [1.0] * 29, np.linspace(0, 1, 79), "only 29 positive patients"),
        ([], [], "no labelled patient"),
        ([0.0, 1.0] * 40, np.full(80, 0.3), "higher risks did not go with the outcome"),
        ([1.0] * 40 + [0.0] * 40, np.linspace(0, 1, 80), "higher risks did not go with the outcome"),
    ],
)
def test_where_there_is_no_curve_the_reason_is_given(y, p, why) -> None:
    curve = fit_isotonic(np.array(y), np.array(p))
    assert why in curve.reason
    assert np.isnan(curve(np.array([0.5]))).all()
