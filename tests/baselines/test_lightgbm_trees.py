"""Trees of LightGBM as arrays: the same scores, also of missing values and of columns that never lacked one."""

from __future__ import annotations

import sys

import lightgbm
import numpy as np
import pytest

from gdsfd.baselines.boosted_trees import BoostedTrees
from gdsfd.baselines.lightgbm_trees import load_lightgbm, trees_of_lightgbm
from gdsfd.errors import InputError


def drawn(classes: int, n: int = 400) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Training rows, labels, and rows to predict; column 0 lacks values, column 1 only where it is predicted."""
    rng = np.random.default_rng(classes)
    x = rng.normal(size=(n, 4)).astype(np.float32)
    y = np.digitize(x[:, 0] - x[:, 1] + 0.5 * rng.normal(size=n), [0.0] if classes == 2 else [-0.7, 0.7])
    x[rng.random(n) < 0.3, 0] = np.nan
    new = rng.normal(size=(200, 4)).astype(np.float32)
    new[rng.random((200, 4)) < 0.3] = np.nan
    return x, y, new


@pytest.mark.parametrize("classes", [2, 3])
def test_scores_are_lightgbms_beside_what_they_start_from(classes):
    x, y, new = drawn(classes)
    base = np.log(np.bincount(y) / len(y))
    base = base[1:] - base[:1] if classes == 2 else base
    settings = {"num_leaves": 7, "verbosity": -1, "min_data_in_leaf": 5, "boost_from_average": False}
    settings |= {"objective": "binary"} if classes == 2 else {"objective": "multiclass", "num_class": 3}
    start = np.tile(base, (len(y), 1)).ravel(order="F")
    booster = lightgbm.train(settings, lightgbm.Dataset(x.astype(float), y, init_score=start), 12)
    expected = booster.predict(new.astype(float), raw_score=True, num_iteration=9).reshape(200, -1) + base
    trees = trees_of_lightgbm(booster, base, np.array([1, 3, 4, 6]), 9, np.arange(classes), classes)
    wide = np.full((200, 8), 7.0, dtype=np.float32)
    wide[:, [1, 3, 4, 6]] = new
    np.testing.assert_allclose(trees._scores(wide[:, trees.columns].astype(float)), expected, atol=1e-10)
    read = BoostedTrees.from_arrays(trees.arrays(), "file", 8)
    np.testing.assert_array_equal(read.predict_proba(wide), trees.predict_proba(wide))
    np.testing.assert_allclose(trees.predict_proba(wide).sum(1), 1.0)


def test_a_tree_without_a_split_is_one_leaf():
    x, y, new = drawn(2)
    settings = {"objective": "binary", "min_data_in_leaf": 300, "boost_from_average": False, "verbosity": -1}
    booster = lightgbm.train(settings, lightgbm.Dataset(x.astype(float), y, init_score=np.zeros(len(y))), 3)
    trees = trees_of_lightgbm(booster, np.array([0.4]), np.arange(4), 1, np.arange(2), 2)
    np.testing.assert_allclose(trees.predict_proba(new)[:, 1], 1 / (1 + np.exp(-0.4)))


def test_without_lightgbm_it_is_said_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "lightgbm", None)
    with pytest.raises(InputError, match=r"needs LightGBM.*pip install lightgbm .* or leave this baseline out"):
        load_lightgbm()
