"""Boosting beside the margin: a known answer, the number of trees, and what is said without LightGBM."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from gdsfd.baselines.boosting_margin import BoostingMargin
from gdsfd.baselines.margin_baseline import log_loss_beside
from gdsfd.errors import InputError
from tests.baselines.biased_tables import CAUSE
from tests.baselines.test_logistic_margin import SEEN, sample


def log_odds(found, x: np.ndarray) -> np.ndarray:
    p = found.predict_proba(x.astype(np.float32))[:, 1]
    return np.log(p / (1 - p))


def in_bands(found) -> np.ndarray:
    """Mean log-odds by bands of the cause around -1, 0 and 1 (rows) and of the shortcut around 0, 1 and 2."""
    offsets = np.linspace(-0.4, 0.4, 20)
    inside = np.array([[a, b] for a in offsets for b in offsets])
    around = [[np.array([x, z]) for z in (0.0, 1.0, 2.0)] for x in (-1.0, 0.0, 1.0)]
    return np.array([[log_odds(found, inside + middle).mean() for middle in row] for row in around])


def test_beside_the_margin_the_cause_is_left_and_the_shortcut_is_not():
    train, tuning = sample(60_000, 0), sample(4000, 1)
    found = in_bands(BoostingMargin(max_features=1.0)._fit_beside(train, tuning, SEEN, 2))
    np.testing.assert_allclose(found.mean(1), CAUSE * np.array([-1.0, 0.0, 1.0]), atol=0.12)
    np.testing.assert_allclose(found.mean(0), found.mean(), atol=0.12)
    train.offset[:] = 0  # without the margin the shortcut counts
    plain = in_bands(BoostingMargin(max_features=1.0)._fit_beside(train, None, SEEN, 2)).mean(0)
    assert plain[2] - plain[0] > 1.5


def test_the_number_of_trees_is_the_one_with_the_least_loss_beside_the_margin():
    train, tuning = sample(300, 2), sample(400, 3)
    model = BoostingMargin(max_trees=80)
    found = model._fit_beside(train, tuning, SEEN, 2)
    losses = []
    for trees in range(1, 81):
        other = BoostingMargin(trees_untuned=trees, max_trees=80)._fit_beside(train, None, SEEN, 2)
        losses.append(log_loss_beside(log_odds(other, tuning.x)[:, None], tuning))
    assert model.trees == [int(np.argmin(losses)) + 1]
    assert log_loss_beside(log_odds(found, tuning.x)[:, None], tuning) == pytest.approx(min(losses))


def test_without_lightgbm_a_comparison_says_so_before_anything_is_fitted(monkeypatch):
    from gdsfd.comparison import compare

    monkeypatch.setitem(sys.modules, "lightgbm", None)
    with pytest.raises(InputError, match="pip install lightgbm"):
        compare("no/such/graph", arms=["none"], baselines=["logistic", "boosting_margin"])
    with pytest.raises(InputError, match="no/such/graph"):
        compare("no/such/graph", arms=["none"], baselines=["logistic", "logistic_margin"])
