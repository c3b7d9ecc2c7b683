"""Trees of LightGBM as :class:`~gdsfd.baselines.boosted_trees.BoostedTrees`: plain arrays, stored without its text."""

from __future__ import annotations

from typing import Any

import numpy as np

from gdsfd.baselines.boosted_trees import BoostedTrees, Ints
from gdsfd.baselines.labels import Floats
from gdsfd.errors import InputError

__all__ = ["load_lightgbm", "trees_of_lightgbm"]

#: Column, threshold, whether missing values go left, left and right child (numbered over all trees), value.
_Node = tuple[int, float, bool, int, int, float]


def load_lightgbm() -> Any:
    """The module ``lightgbm``, imported when it is first needed.

    Raises:
        InputError: It is not installed, or a library that it needs is not.
    """
    try:
        import lightgbm
    except (ImportError, OSError) as error:
        raise InputError(
            f"boosting beside a margin needs LightGBM, which cannot be loaded here ({str(error).splitlines()[0]}); "
            "install it with: pip install lightgbm (and, on Linux, the system's libgomp1), or leave this baseline out"
        ) from error
    return lightgbm


def trees_of_lightgbm(booster: Any, base: Floats, columns: Ints, trees: int, seen: Ints, classes: int) -> BoostedTrees:
    """Takes the first trees of a fitted booster.

    Args:
        booster: ``lightgbm.Booster``, fitted on numeric columns beside an ``init_score``, which it does not keep.
        base: What scores start from: the constant part of the ``init_score``; float64 [scores].
        columns: The flattened table's columns that it was fitted on.
        trees: Boosting iterations taken.
        seen: Numbers of the classes that it was fitted on, ascending.
        classes: Number of all classes.
    """
    root, nodes = [0], list[_Node]()
    for tree in booster.dump_model(num_iteration=trees)["tree_info"]:
        _add(tree["tree_structure"], nodes)
        root.append(len(nodes))
    feature, threshold, missing_left, left, right, value = zip(*nodes)
    return BoostedTrees(
        columns=np.asarray(columns, dtype=np.int64),
        seen=np.asarray(seen, dtype=np.int64),
        num_classes=np.array([classes], dtype=np.int64),
        baseline=np.asarray(base, dtype=np.float64),
        root=np.array(root, dtype=np.int64),
        feature=np.array(feature, dtype=np.int64),
        threshold=np.array(threshold, dtype=np.float64),
        missing_left=np.array(missing_left, dtype=bool),
        left=np.array(left, dtype=np.int64),
        right=np.array(right, dtype=np.int64),
        value=np.array(value, dtype=np.float64),
    )


def _add(node: dict[str, Any], nodes: list[_Node]) -> int:
    """Appends a node and what is below it, each before its children; its place."""
    place = len(nodes)
    if "split_feature" not in node:
        nodes.append((0, 0.0, False, place, place, float(node["leaf_value"])))
        return place
    if node["decision_type"] != "<=":
        raise NotImplementedError("splits on categories: the flattened table has one 0/1 column per level instead")
    threshold = float(node["threshold"])
    # Without a missing value in training LightGBM takes a missing one for 0.
    missing_left = bool(node["default_left"]) if node["missing_type"] == "NaN" else threshold >= 0
    nodes.append((int(node["split_feature"]), threshold, missing_left, 0, 0, 0.0))
    left, right = _add(node["left_child"], nodes), _add(node["right_child"], nodes)
    nodes[place] = (*nodes[place][:3], left, right, 0.0)
    return place
