"""Boosting: how many trees, and which columns cannot be split."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import log_loss

from gdsfd.baselines.boosting import Boosting, splittable
from gdsfd.evaluation.targets import rows_of_split, targets_of
from gdsfd.graph.from_cohort import graph_from_cohort
from tests.cohort_factory import make_cohort


def graph_of(outcomes="binary", n=500, **options):
    return graph_from_cohort(make_cohort(n, outcomes=outcomes, **options))


def test_boosting_keeps_the_number_of_trees_that_tuning_likes_best():
    graph = graph_of(n=800)
    model = Boosting(max_trees=60).fit(graph)
    (target,) = targets_of(graph, rows_of_split(graph, "tuning"), model.predict_proba(graph, split="tuning"))
    best = -np.mean(target.y * np.log(target.p) + (1 - target.y) * np.log(1 - target.p))
    for trees in (1, 10, 60):
        other = Boosting(max_trees=trees, trees_untuned=trees, min_tuning=10**9).fit(graph)
        (target,) = targets_of(graph, rows_of_split(graph, "tuning"), other.predict_proba(graph, split="tuning"))
        assert best <= -np.mean(target.y * np.log(target.p) + (1 - target.y) * np.log(1 - target.p)) + 1e-9
    assert 1 <= model.trees[0] <= 60


@pytest.mark.parametrize("classes", [[0, 1], [0, 2, 3]])
def test_the_number_of_trees_is_the_one_of_least_log_loss(classes):
    """As scikit-learn has the loss, tree by tree; of a class that training lacks no probability is asked for."""
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(400, 4)).astype(np.float32), rng.choice(classes, 400)
    x[:, 0] += 0.8 * y
    model = Boosting(max_trees=40)
    model._fit_one(x[:250], y[:250], x[250:], y[250:], 4)
    own = HistGradientBoostingClassifier(
        learning_rate=0.05, max_leaf_nodes=15, min_samples_leaf=20, l2_regularization=1.0, max_features=0.5,
        early_stopping=False, random_state=0, max_iter=40,
    ).fit(x[:250], y[:250])  # fmt: skip
    losses = [log_loss(y[250:], p, labels=classes) for p in own.staged_predict_proba(x[250:])]
    assert model.trees == [int(np.argmin(losses)) + 1]
    assert 1 < model.trees[0] < 40


def test_columns_left_out_could_not_have_been_split():
    rng = np.random.default_rng(0)
    x = np.zeros((200, 5), dtype=np.float32)
    x[:19, 0] = 1  # too rare
    x[:20, 1] = 1
    x[:, 2] = np.where(np.arange(200) < 19, 1.0, np.nan)  # too rarely measured
    x[:, 3] = rng.normal(size=200)
    x[:30, 4] = np.nan  # constant where measured: missing or not is still a split
    assert splittable(x, 20).tolist() == [1, 3, 4]
    y = (rng.random(200) < 0.3).astype(int)
    options = {"max_iter": 5, "min_samples_leaf": 20, "early_stopping": False, "random_state": 0}
    whole = HistGradientBoostingClassifier(**options).fit(x, y).predict_proba(x)
    part = HistGradientBoostingClassifier(**options).fit(x[:, [1, 3, 4]], y).predict_proba(x[:, [1, 3, 4]])
    np.testing.assert_allclose(whole, part)
