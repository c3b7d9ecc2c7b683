"""Settings of gradient boosting, with a margin and without."""

from __future__ import annotations

from typing import Any, ClassVar

from gdsfd.baselines.boosted_trees import BoostedTrees
from gdsfd.baselines.flat_baseline import FlatBaseline

__all__ = ["BoostingSettings"]


class BoostingSettings(FlatBaseline):
    """Arguments and what was chosen; the arguments are those of the class that fits."""

    model_types: ClassVar[dict[str, Any]] = {"trees": BoostedTrees, **FlatBaseline.model_types}
    chosen_as = "trees"

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
        self.trees: list[int] = []  #: Trees used, one number per outcome; 0 = nothing to learn from, training shares.

    def _chose_nothing(self) -> None:
        self.trees.append(0)
