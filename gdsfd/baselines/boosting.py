"""Gradient boosting on the flattened table."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from gdsfd.baselines.baseline import BASELINES
from gdsfd.baselines.boosted_trees import BoostedTrees
from gdsfd.baselines.boosting_settings import BoostingSettings
from gdsfd.baselines.flat_baseline import Classifier, Labels, Matrix

if TYPE_CHECKING:
    from sklearn.ensemble import HistGradientBoostingClassifier

__all__ = ["Boosting", "splittable"]

#: Trees are added this many at a time.
BLOCK = 50


def splittable(x: Matrix, least: int) -> Labels:
    """Columns that some split can part into two sides of at least ``least`` rows; most rare codes cannot.

    A column cannot when one value (or "missing") covers more than all but ``least`` rows. Leaving it out changes no
    tree but takes time off each.
    """
    kept = []
    for column in range(x.shape[1]):
        values = x[:, column]
        measured = values[~np.isnan(values)]
        most = max(len(values) - len(measured), int(np.unique(measured, return_counts=True)[1].max(initial=0)))
        if most <= len(values) - least:
            kept.append(column)
    return np.array(kept, dtype=np.int64)


@BASELINES.register("boosting")
class Boosting(BoostingSettings):
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
    key = "boosting"

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

    def _fit_one(self, x: Matrix, y: Labels, x_tuning: Matrix, y_tuning: Labels, classes: int) -> Classifier | None:
        from sklearn.ensemble import HistGradientBoostingClassifier  # slow to import

        columns = splittable(x, self.min_samples_leaf)
        if not len(columns):
            return None
        model = HistGradientBoostingClassifier(
            learning_rate=self.learning_rate,
            max_leaf_nodes=self.max_leaf_nodes,
            min_samples_leaf=self.min_samples_leaf,
            l2_regularization=self.l2,
            max_features=self.max_features,
            early_stopping=False,
            warm_start=True,
            random_state=self.seed,
        )
        seen = np.unique(y)
        judged = np.isin(y_tuning, seen)
        enough = min(np.bincount(y_tuning[judged], minlength=classes)[seen]) >= self.min_tuning
        if not enough:
            trees = min(self.trees_untuned, self.max_trees)
            model.set_params(max_iter=trees).fit(x[:, columns], y)
        else:
            trees = self._grow(model, x[:, columns], y, x_tuning[judged][:, columns], y_tuning[judged])
        self.trees.append(trees)
        return BoostedTrees.of(model, columns, trees, classes)

    def _grow(
        self, model: HistGradientBoostingClassifier, x: Matrix, y: Labels, x_tuning: Matrix, y_tuning: Labels
    ) -> int:
        """Adds trees in blocks until a whole block has not lowered the tuning loss; returns the best number."""
        own, least = np.searchsorted(np.unique(y), y_tuning)[:, None], np.finfo(np.float64).eps
        losses: list[float] = []
        while len(losses) < self.max_trees:
            grown = len(losses)
            model.set_params(max_iter=min(grown + BLOCK, self.max_trees)).fit(x, y)
            staged = islice(model.staged_predict_proba(x_tuning), grown, None)
            # scikit-learn's log loss takes longer to look at its arguments than a tree takes to grow
            losses += [float(-np.log(np.take_along_axis(p, own, 1).clip(least)).mean()) for p in staged]
            if int(np.argmin(losses)) < grown:
                break
        return int(np.argmin(losses)) + 1
