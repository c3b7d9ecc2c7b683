"""Gradient boosting on the flattened table."""

from __future__ import annotations

from itertools import islice
from typing import Any

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import log_loss

from gdsfd.evaluation.baselines import Classifier, FlatBaseline, Labels, Matrix, all_classes
from gdsfd.evaluation.metrics import Floats

__all__ = ["Boosting"]


class _Staged:
    """The first trees of a fitted ensemble."""

    def __init__(self, model: HistGradientBoostingClassifier, trees: int, classes: int) -> None:
        self.model, self.trees, self.classes = model, trees, classes

    def predict_proba(self, features: Matrix) -> Floats:
        if not len(features):
            return np.zeros((0, self.classes))
        staged = next(islice(self.model.staged_predict_proba(features), self.trees - 1, None))
        return all_classes(staged, self.model.classes_.astype(np.int64), self.classes)


class Boosting(FlatBaseline):
    """scikit-learn's ``HistGradientBoostingClassifier``, missing values as they are.

    The defaults are shallow and slow-learning, which suits cohorts of some thousand patients. The number of trees is
    the one with the best log loss on the tuning rows; without at least ``min_tuning`` patients of each class there, it
    is ``trees_untuned``.

    Args:
        seed: Of the model's own generator.
        learning_rate: Shrinkage.
        max_trees: The most trees.
        trees_untuned: Trees when the tuning rows cannot decide.
        max_leaf_nodes: Leaves per tree.
        min_samples_leaf: The fewest training patients in a leaf.
        l2: Penalty on leaf values.
        max_features: Share of the columns tried at each split (scikit-learn 1.4 and later).
        min_tuning: The fewest tuning patients of each class to choose on.
    """

    name = "gradient boosting"

    def __init__(
        self,
        seed: int = 0,
        learning_rate: float = 0.05,
        max_trees: int = 300,
        trees_untuned: int = 100,
        max_leaf_nodes: int = 15,
        min_samples_leaf: int = 20,
        l2: float = 1.0,
        max_features: float = 0.5,
        min_tuning: int = 10,
    ) -> None:
        super().__init__(seed)
        self.learning_rate = learning_rate
        self.max_trees = max_trees
        self.trees_untuned = trees_untuned
        self.max_leaf_nodes = max_leaf_nodes
        self.min_samples_leaf = min_samples_leaf
        self.l2 = l2
        self.max_features = max_features
        self.min_tuning = min_tuning
        self.trees: list[int] = []  #: Trees used, one number per outcome.

    def fit(self, graph: Any) -> Boosting:
        self.trees = []
        return super().fit(graph)

    def describe(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "features": "flattened table, missing values kept",
            "learning rate": self.learning_rate,
            "leaves per tree": self.max_leaf_nodes,
            "trees (chosen on tuning)": self.trees,
        }

    def _fit_one(self, x: Matrix, y: Labels, x_tuning: Matrix, y_tuning: Labels, classes: int) -> Classifier:
        model = HistGradientBoostingClassifier(
            learning_rate=self.learning_rate,
            max_iter=self.max_trees,
            max_leaf_nodes=self.max_leaf_nodes,
            min_samples_leaf=self.min_samples_leaf,
            l2_regularization=self.l2,
            max_features=self.max_features,
            early_stopping=False,
            random_state=self.seed,
        )
        model.fit(x, y)
        seen = model.classes_.astype(np.int64)
        judged = np.isin(y_tuning, seen)
        enough = min(np.bincount(y_tuning[judged], minlength=classes)[seen]) >= self.min_tuning
        trees = min(self.trees_untuned, self.max_trees)
        if enough:
            staged = model.staged_predict_proba(x_tuning[judged])
            losses = [log_loss(y_tuning[judged], p, labels=seen) for p in staged]
            trees = int(np.argmin(losses)) + 1
        self.trees.append(trees)
        return _Staged(model, trees, classes)
