"""Gradient boosting on the flattened table, beside the margin of the declared suspects."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from gdsfd.baselines.baseline import BASELINES
from gdsfd.baselines.boosting import splittable
from gdsfd.baselines.boosting_settings import BoostingSettings
from gdsfd.baselines.flat_baseline import Classifier, Labels
from gdsfd.baselines.lightgbm_trees import load_lightgbm, trees_of_lightgbm
from gdsfd.baselines.margin_baseline import MarginBaseline, Sample

__all__ = ["BoostingMargin"]

#: Trees without a better tuning loss after which no more are added.
PATIENCE = 50


@dataclass(frozen=True)
class Grown:
    """Boosted trees, how many there are, and their log loss on tuning rows in nats (NaN: nobody to judge by)."""

    model: Classifier
    trees: int
    loss: float


@BASELINES.register("boosting_margin")
class BoostingMargin(BoostingSettings, MarginBaseline):
    """LightGBM with the margin as ``init_score``, which scikit-learn's boosting has no room for.

    Its settings are those of :class:`~gdsfd.baselines.boosting.Boosting`. Trees start from the margin and the training
    shares; a prediction starts from the shares alone. The number of trees is the one with the best log loss beside the
    margin on the tuning rows; without at least ``min_tuning`` patients of each class there, it is ``trees_untuned``.
    The trees are kept as plain arrays: predictions and stored models need no LightGBM.

    Args:
        seed: Of the model's own generator.
        learning_rate: Shrinkage.
        max_trees: The most trees.
        trees_untuned: Trees when the tuning rows cannot decide.
        max_leaf_nodes: Leaves per tree.
        min_samples_leaf: The fewest training patients in a leaf.
        l2: Penalty on leaf values.
        max_features: Share of the columns tried at each split.
        min_tuning: The fewest tuning patients of each class to choose on.
    """

    name = "gradient boosting + margin"
    key = "boosting_margin"
    #: Other sizes of trees that are grown, too, where tuning rows can choose: leaves -> the most trees.
    other_sizes: Mapping[int, int] = MappingProxyType({})
    #: Most values of a column that splits are looked for between.
    bins: int = 255

    @classmethod
    def check_available(cls) -> None:
        load_lightgbm()

    def describe(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "features": "flattened table, missing values kept",
            "offset in training": "log P(y | suspects) - log P(y), left out when predicting",
            "learning rate": self.learning_rate,
            "leaves per tree": self.max_leaf_nodes,
            "trees (chosen on tuning)": self.trees,
        }

    def _begin(self) -> None:
        self.trees = []

    def _fit_beside(self, train: Sample, tuning: Sample | None, seen: Labels, classes: int) -> Classifier | None:
        sizes = {self.max_leaf_nodes: self.max_trees}
        if tuning is not None:
            sizes |= self.other_sizes
        grown = [self._grown(train, tuning, seen, classes, leaves, most) for leaves, most in sizes.items()]
        made = [each for each in grown if each is not None]
        if not made:
            return None
        best = min(made, key=lambda each: each.loss)
        self.trees.append(best.trees)
        return best.model

    def _grown(
        self, train: Sample, tuning: Sample | None, seen: Labels, classes: int, leaves: int, most: int
    ) -> Grown | None:
        """Trees of so many leaves, at most so many; None where no column can be split."""
        columns = splittable(train.x, self.min_samples_leaf)
        if not len(columns):
            return None
        lightgbm = load_lightgbm()
        shares = np.bincount(train.y, minlength=len(seen)) / len(train.y)
        base = np.log(shares[1:] / shares[:1]) if len(seen) == 2 else np.log(shares)
        several = {"objective": "multiclass", "num_class": len(seen)}
        settings = {
            **({"objective": "binary"} if len(seen) == 2 else several),
            "learning_rate": self.learning_rate,
            "num_leaves": leaves,
            "min_data_in_leaf": self.min_samples_leaf,
            "min_sum_hessian_in_leaf": 0.0,
            "lambda_l2": self.l2,
            "feature_fraction_bynode": self.max_features,
            "boost_from_average": False,
            "seed": self.seed % 2**31,
            "deterministic": True,
            "force_row_wise": True,
            "max_bin": self.bins,
            "verbosity": -1,
        }

        def data(sample: Sample, reference: Any = None) -> Any:
            offset = (sample.offset + base).ravel(order="F")  # class by class, as LightGBM has scores
            return lightgbm.Dataset(
                sample.x[:, columns].astype(np.float64),
                sample.y,
                init_score=offset,
                weight=sample.weight,
                reference=reference,
                params={"max_bin": self.bins},
                free_raw_data=True,
            )

        fitted = data(train)
        if tuning is None:
            trees, loss = min(self.trees_untuned, most), math.nan
            booster = lightgbm.train(settings, fitted, trees)
        else:
            stop = lightgbm.early_stopping(PATIENCE, verbose=False)
            booster = lightgbm.train(settings, fitted, most, valid_sets=[data(tuning, fitted)], callbacks=[stop])
            trees = booster.best_iteration or booster.current_iteration()
            loss = float(next(iter(booster.best_score["valid_0"].values())))
        return Grown(trees_of_lightgbm(booster, base, columns, trees, seen, classes), trees, loss)
