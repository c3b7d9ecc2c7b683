"""Trees of several folds: the mean of their log-odds, stored and read."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from gdsfd.baselines.boosting_margin import BoostingMargin
from gdsfd.baselines.cross_fitted_trees import CrossFittedTrees, log_odds
from gdsfd.baselines.flat_baseline import TrainingShares
from gdsfd.errors import InputError
from gdsfd.graph.flatten import flatten
from gdsfd.graph.from_cohort import graph_from_cohort
from tests.cohort_factory import make_cohort

N = 120


@pytest.fixture(scope="module")
def fitted() -> tuple[Any, np.ndarray, CrossFittedTrees]:
    graph = graph_from_cohort(make_cohort(N))
    x, label, nothing = flatten(graph)[0], np.arange(N) % 2, np.zeros((N, 2))
    models = [
        BoostingMargin(seed).fit_beside((x[seed:], label[seed:], nothing[seed:]), (x[:0], label[:0], nothing[:0]), 2)
        for seed in range(2)
    ]
    return graph, x, CrossFittedTrees([[*models, TrainingShares(np.array([0.75, 0.25]))]], False)


def test_logits_are_the_mean_of_the_folds_log_odds(fitted: tuple[Any, np.ndarray, CrossFittedTrees]) -> None:
    _, x, trees = fitted
    positive = [model.predict_proba(x)[:, 1] for model in trees.models[0]]
    expected = sum(np.log(each / (1 - each)) for each in positive) / 3
    assert_allclose(trees.logits(x).ravel(), expected, rtol=1e-5)
    assert trees.logits(x).dtype == np.float32


def test_what_is_stored_gives_the_same_numbers(fitted: tuple[Any, np.ndarray, CrossFittedTrees]) -> None:
    graph, x, trees = fitted
    assert_array_equal(CrossFittedTrees.from_arrays(trees.arrays(), graph.schema, "file").logits(x), trees.logits(x))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda arrays: {**arrays, "0.1.bush.root": np.zeros(1)}, "no array is called '0.1.bush.root'"),
        (lambda arrays: {}, "outcome 0 has the folds"),
        (lambda arrays: {k: v for k, v in arrays.items() if not k.startswith("0.1.")}, "outcome 0 has the folds"),
        (lambda arrays: {k: v for k, v in arrays.items() if k != "0.0.trees.left"}, "damaged"),
        (lambda arrays: {**arrays, "0.2.shares.shares": np.array([0.5, 0.6])}, "no shares of classes"),
    ],
)
def test_what_is_damaged_is_refused(
    fitted: tuple[Any, np.ndarray, CrossFittedTrees], change: Any, message: str
) -> None:
    graph, _, trees = fitted
    with pytest.raises(InputError, match=message):
        CrossFittedTrees.from_arrays(change(trees.arrays()), graph.schema, "file")


def test_log_odds_stay_finite_and_classes_have_log_probabilities() -> None:
    assert_allclose(log_odds(np.array([[1.0, 0.0], [0.5, 0.5]]), False), [[-13.815510], [0.0]], atol=1e-5)
    assert_allclose(log_odds(np.array([[0.2, 0.3, 0.5]]), True), np.log([[0.2, 0.3, 0.5]]))
