"""Trees as arrays give scikit-learn's numbers, bit for bit; what is no forest is refused."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier

from gdsfd.baselines.boosted_trees import BoostedTrees
from gdsfd.errors import InputError


def table(n: int = 400, seed: int = 0) -> np.ndarray:
    """Numbers, holes, few distinct values, 0/1 columns of a category's levels, infinities."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 6)).astype(np.float32)
    x[:, 1] = np.round(x[:, 1])
    x[rng.random(x.shape) < 0.2] = np.nan
    level = rng.integers(0, 3, n)
    flags = (level[:, None] == np.arange(3)).astype(np.float32)
    flags[rng.random(n) < 0.1] = np.nan
    x[:2, 0] = [np.inf, -np.inf][: len(x)]
    return np.concatenate([x, flags], axis=1)


def fitted(classes: int, columns: np.ndarray, iterations: int = 30) -> HistGradientBoostingClassifier:
    x, rng = table(), np.random.default_rng(1)
    score = np.nan_to_num(x[:, 2], nan=1.0) + np.nan_to_num(x[:, 7]) + rng.normal(size=len(x))
    y = np.digitize(score, np.quantile(score, np.arange(1, classes) / classes))
    model = HistGradientBoostingClassifier(max_iter=iterations, min_samples_leaf=5, random_state=0, max_features=0.5)
    return model.fit(x[:, columns], y)


@pytest.mark.parametrize("classes", [2, 3, 5])
@pytest.mark.parametrize("trees", [1, 7, 30])
def test_probabilities_are_those_of_scikit_learn(classes, trees):
    columns = np.array([0, 1, 2, 4, 6, 7, 8])
    model = fitted(classes, columns)
    own = BoostedTrees.of(model, columns, trees, classes)
    for x in (table(), table(5000, seed=3), table(1, seed=4), np.full((3, 9), np.nan, np.float32)):
        expected = next(islice(model.staged_predict_proba(x[:, columns]), trees - 1, None))
        np.testing.assert_array_equal(own.predict_proba(x), expected)
        read = BoostedTrees.from_arrays(own.arrays(), "boosting.safetensors", 9)
        np.testing.assert_array_equal(read.predict_proba(x), expected)
    assert own.predict_proba(table()[:0]).shape == (0, classes)


def test_an_unseen_class_keeps_its_column():
    columns = np.arange(9)
    model = fitted(2, columns)
    model.classes_ = np.array([0, 2])
    answer = BoostedTrees.of(model, columns, 30, 4).predict_proba(table())
    assert (answer[:, [1, 3]] == 0).all()
    np.testing.assert_array_equal(answer[:, [0, 2]], model.predict_proba(table()))


def test_a_slow_walk_down_the_trees_agrees():
    own = BoostedTrees.of(fitted(2, np.arange(9), 5), np.arange(9), 5, 2)
    for row in table(20, seed=9).astype(np.float64):
        score = own.baseline[0]
        for root in own.root[:-1]:
            node = root
            while own.left[node] != node:
                cell = row[own.feature[node]]
                left = own.missing_left[node] if np.isnan(cell) else cell <= own.threshold[node]
                node = own.left[node] if left else own.right[node]
            score += own.value[node]
        np.testing.assert_allclose(own.predict_proba(row[None].astype(np.float32))[0, 1], 1 / (1 + np.exp(-score)))


def test_splits_on_categories_are_refused():
    x = np.random.default_rng(0).integers(0, 4, (300, 1)).astype(float)
    model = HistGradientBoostingClassifier(categorical_features=[0], max_iter=3).fit(x, x[:, 0] % 2)
    with pytest.raises(NotImplementedError, match="one 0/1 column per level"):
        BoostedTrees.of(model, np.arange(1), 3, 2)


def broken(**changed):
    arrays = BoostedTrees.of(fitted(2, np.arange(9), 3), np.arange(9), 3, 2).arrays()
    return {
        name: change(arrays[name].copy()) for name, change in {**dict.fromkeys(arrays, lambda a: a), **changed}.items()
    }


def at(place, value):
    def change(array):
        array[place] = value
        return array

    return change


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"left": at(0, 10**6)}, "a node points out of its tree"),
        ({"right": at(1, 0)}, "a node points out of its tree"),  # a circle: the walk would never end
        ({"left": at(0, -1)}, "a node points out of its tree"),
        ({"left": at(0, 0)}, "a node has one child"),
        ({"feature": at(0, 9)}, "a node asks for a column that is not there"),
        ({"columns": at(8, 9)}, "a class or a column is out of range"),
        ({"seen": at(1, 2)}, "a class or a column is out of range"),
        ({"value": lambda a: a[:-1]}, "the nodes' arrays differ in length"),
        ({"value": at(0, np.nan)}, "a value is not finite"),
        ({"root": at(1, 10**6)}, "a node points out of its tree"),
        ({"root": lambda a: a[1:]}, "its trees do not fit together"),
        ({"baseline": lambda a: a.astype(np.float32)}, "array 'baseline': expected float64"),
        ({"threshold": lambda a: a[:, None]}, "array 'threshold': expected float64 of one dimension"),
        ({"num_classes": lambda a: a[:0]}, "its classes do not fit together"),
    ],
)
def test_what_is_no_forest_is_refused(changed, why):
    with pytest.raises(InputError, match=rf"b\.safetensors: damaged \({why}.*train the model anew"):
        BoostedTrees.from_arrays(broken(**changed), "b.safetensors", 9)


def test_a_missing_array_is_named():
    arrays = broken()
    del arrays["left"]
    with pytest.raises(InputError, match="no array 'left'"):
        BoostedTrees.from_arrays(arrays, "b.safetensors", 9)
