"""A fitted gradient boosting as plain arrays, so that it can be stored without pickle and loading runs no code.

scikit-learn stores its ensembles with pickle only, and a pickle runs what its writer wanted. What a prediction needs is
little: for every node a column, a threshold, the side of missing values and two children, for every leaf a value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, softmax

from gdsfd.baselines.labels import Floats
from gdsfd.errors import InputError

if TYPE_CHECKING:
    from sklearn.ensemble import HistGradientBoostingClassifier

__all__ = ["BoostedTrees"]

Ints = NDArray[np.int64]

#: Patients walked down all trees at once.
_ROWS = 2048


@dataclass(frozen=True)
class BoostedTrees:
    r"""Trees whose leaf values add up to log-odds.

    With baseline :math:`b_k` and trees :math:`t` of score :math:`k`,
    :math:`f_k(x) = b_k + \sum_t v_t(\text{leaf}_t(x))`; one score gives :math:`p = \sigma(f)`, several give
    :math:`p = \mathrm{softmax}(f)`. A patient goes left at a node when its value is at most the threshold, and where
    ``missing_left`` says when it was not measured. The numbers are those of
    ``HistGradientBoostingClassifier.predict_proba``, bit for bit.

    Args:
        columns: Columns of the flattened table that the trees were fitted on, ascending; [C].
        seen: Numbers of the classes seen in training, ascending; [K'], and K' = 2 gives one score.
        num_classes: All classes; [1].
        baseline: What scores start from; float64 [scores].
        root: Tree ``t`` has the nodes ``root[t]:root[t + 1]``, the first is its root; it belongs to score
            ``t % scores``; [T + 1].
        feature: Position in ``columns`` of a node's column; [M].
        threshold: float64 [M].
        missing_left: bool [M].
        left: Node on the left, always further down the arrays; a leaf is its own child; [M].
        right: Likewise.
        value: Of leaves; float64 [M].
    """

    columns: Ints
    seen: Ints
    num_classes: Ints
    baseline: Floats
    root: Ints
    feature: Ints
    threshold: Floats
    missing_left: NDArray[np.bool_]
    left: Ints
    right: Ints
    value: Floats

    @classmethod
    def of(cls, model: HistGradientBoostingClassifier, columns: Ints, trees: int, classes: int) -> BoostedTrees:
        """Takes the first trees of a fitted model.

        Args:
            model: Fitted on numeric columns, classes numbered.
            columns: The columns it was fitted on.
            trees: Boosting iterations taken.
            classes: Number of all classes, also those not seen.
        """
        nodes = [tree.nodes for iteration in model._predictors[:trees] for tree in iteration]
        if any(each["is_categorical"].any() for each in nodes):
            raise NotImplementedError("splits on categories: the flattened table has one 0/1 column per level instead")
        sizes = np.array([len(each) for each in nodes], dtype=np.int64)
        root = np.concatenate([[0], np.cumsum(sizes)])
        joined = np.concatenate(nodes)
        own, start = np.arange(len(joined)), np.repeat(root[:-1], sizes)
        leaf = joined["is_leaf"].astype(bool)
        return cls(
            columns=np.asarray(columns, dtype=np.int64),
            seen=np.asarray(model.classes_).astype(np.int64),
            num_classes=np.array([classes], dtype=np.int64),
            baseline=np.asarray(model._baseline_prediction, dtype=np.float64).reshape(-1),
            root=root,
            feature=np.where(leaf, 0, joined["feature_idx"]).astype(np.int64),
            threshold=np.where(leaf, 0.0, joined["num_threshold"]),
            missing_left=joined["missing_go_to_left"].astype(bool),
            left=np.where(leaf, own, start + joined["left"]),
            right=np.where(leaf, own, start + joined["right"]),
            value=joined["value"].astype(np.float64),
        )

    def predict_proba(self, features: NDArray[np.float32]) -> Floats:
        """Probabilities of all classes; classes not seen in training get 0; [n, classes].

        Args:
            features: Rows of the flattened table, NaN = not measured; [n, F].
        """
        answer = np.zeros((len(features), int(self.num_classes[0])))
        for first in range(0, len(features), _ROWS):
            scores = self._scores(features[first : first + _ROWS][:, self.columns].astype(np.float64))
            if scores.shape[1] == 1:
                positive = expit(scores[:, 0])
                answer[first : first + _ROWS, self.seen] = np.column_stack([1 - positive, positive])
            else:
                answer[first : first + _ROWS, self.seen] = softmax(scores, axis=1)
        return answer

    def _scores(self, x: Floats) -> Floats:
        """Log-odds of some patients, summed in the order in which trees were fitted; [n, scores]."""
        rows = np.arange(len(x))[:, None]
        node = np.broadcast_to(self.root[:-1], (len(x), len(self.root) - 1))
        while True:
            cell = x[rows, self.feature[node]]
            goes_left = np.where(np.isnan(cell), self.missing_left[node], cell <= self.threshold[node])
            below = np.where(goes_left, self.left[node], self.right[node])
            if np.array_equal(below, node):
                break
            node = below
        values, scores = self.value[node], np.tile(self.baseline, (len(x), 1))
        for tree in range(values.shape[1]):
            scores[:, tree % scores.shape[1]] += values[:, tree]
        return scores

    def arrays(self) -> dict[str, NDArray[Any]]:
        """What is stored."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]], where: str, width: int) -> BoostedTrees:
        """Reads what :meth:`arrays` gave, and checks that it is a forest.

        Args:
            arrays: Name -> array.
            where: The file, for messages.
            width: Columns of the flattened table.

        Raises:
            InputError: An array is missing, of another type or size, or points elsewhere than it may.
        """
        wrong = _what_is_wrong(arrays, width)
        if wrong:
            raise InputError(f"{where}: damaged ({wrong}); copy the folder again, or train the model anew")
        return cls(**{field.name: arrays[field.name] for field in fields(cls)})


_KINDS: dict[str, np.dtype[Any]] = {
    **dict.fromkeys(("columns", "seen", "num_classes", "root", "feature", "left", "right"), np.dtype("int64")),
    **dict.fromkeys(("baseline", "threshold", "value"), np.dtype("float64")),
    "missing_left": np.dtype("bool"),
}


def _what_is_wrong(arrays: Mapping[str, NDArray[Any]], width: int) -> str:
    """Why arrays are not trees, or nothing."""
    for name, kind in _KINDS.items():
        if name not in arrays:
            return f"no array {name!r}"
        if arrays[name].dtype != kind or arrays[name].ndim != 1:
            return f"array {name!r}: expected {kind} of one dimension, got {arrays[name].dtype} {arrays[name].shape}"
    columns, seen, root = arrays["columns"], arrays["seen"], arrays["root"]
    nodes = len(arrays["value"])
    if any(len(arrays[name]) != nodes for name in ("feature", "threshold", "missing_left", "left", "right")):
        return "the nodes' arrays differ in length"
    scores = 1 if len(seen) == 2 else len(seen)
    if len(arrays["num_classes"]) != 1 or len(seen) < 2 or len(arrays["baseline"]) != scores:
        return "its classes do not fit together"
    if not (_ascending(seen, int(arrays["num_classes"][0])) and len(columns) and _ascending(columns, width)):
        return "a class or a column is out of range"
    if len(root) < 2 or root[0] != 0 or root[-1] != nodes or (len(root) - 1) % scores:
        return "its trees do not fit together"
    own = np.arange(nodes)
    for first, last in pairwise(root.tolist()):
        for side in ("left", "right"):
            child = arrays[side][first:last]
            # Children lie behind their node, or a walk down the tree would not end; a leaf is both its own children.
            if not first < last or (child < own[first:last]).any() or (child >= last).any():
                return "a node points out of its tree"
    if ((arrays["left"] == own) != (arrays["right"] == own)).any():
        return "a node has one child"
    if (arrays["feature"] < 0).any() or (arrays["feature"] >= len(columns)).any():
        return "a node asks for a column that is not there"
    if not (np.isfinite(arrays["value"]).all() and np.isfinite(arrays["baseline"]).all()):
        return "a value is not finite"
    return ""


def _ascending(numbers: Ints, below: int) -> bool:
    return bool((np.diff(numbers) > 0).all() and numbers.min(initial=0) >= 0 and numbers.max(initial=0) < below)
