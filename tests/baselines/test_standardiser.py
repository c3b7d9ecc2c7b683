"""A table with holes for a linear model: filled, flagged, cut, scaled."""

from __future__ import annotations

import numpy as np

from gdsfd.baselines.standardiser import Standardiser


def test_standardiser_fills_flags_cuts_and_scales():
    rng = np.random.default_rng(0)
    x = np.full((200, 6), np.nan, dtype=np.float32)
    x[:, 0] = rng.normal(5, 2, 200)
    x[7, 0] = 1e6  # a typing error
    x[:100, 1] = rng.normal(size=100)  # missing where column 2 is: one flag for both
    x[:100, 2] = rng.normal(size=100)
    x[:, 3] = 1.0  # constant
    x[3, 4] = 1.0  # measured once only; column 5 never
    standardise = Standardiser(x)
    table = standardise(x)
    assert np.isfinite(table).all()
    assert table.shape[1] == 3 + 2  # three columns that vary, two different flags
    assert np.abs(table).max() < 20
    np.testing.assert_allclose(table.mean(0), 0, atol=1e-6)
    np.testing.assert_allclose(table.std(0), 1, atol=1e-6)


def test_a_rare_indicator_survives_the_cut():
    x = np.zeros((300, 1), dtype=np.float32)
    x[0] = 1.0
    assert Standardiser(x)(x)[0, 0] > 5
