"""A model that sees who has what, and nothing else: what presence alone gives away."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from torch_geometric.data import HeteroData

from gdsfd.evaluation.targets import labels_of, rows_of_split
from gdsfd.graph.availability import presence_of

__all__ = ["PresenceModel"]

Floats = NDArray[np.float64]


class PresenceModel:
    """Logistic regression of each outcome (of each class against the rest) on flags of presence."""

    def __init__(self) -> None:
        self.models: list[LogisticRegression | float] = []

    def fit(self, graph: HeteroData) -> Self:
        """Fits on training patients; an outcome of one class there gets its share, 0 or 1."""
        rows = rows_of_split(graph, "train")
        flags, labels = _flags(graph, rows), labels_of(graph, rows)
        self.models = []
        for y in labels.T:
            known = np.isfinite(y)
            if len(np.unique(y[known])) < 2:
                self.models.append(float(y[known].mean()) if known.any() else 0.5)
            else:
                self.models.append(LogisticRegression(max_iter=1000).fit(flags[known], y[known].astype(int)))
        self._two = not graph.schema.multiclass and labels.shape[1] == 1
        self._classes = bool(graph.schema.multiclass)
        return self

    def predict_proba(self, graph: HeteroData, split: str) -> Floats:
        """As a ``Debiaser`` gives them: two columns for one binary outcome, else one per outcome or class."""
        flags: Any = _flags(graph, rows_of_split(graph, split))
        columns = [
            np.full(len(flags), each) if isinstance(each, float) else each.predict_proba(flags)[:, 1]
            for each in self.models
        ]
        found = np.stack([1 - columns[0], columns[0]] if self._two else columns, axis=1)
        return found / found.sum(1, keepdims=True) if self._classes else found


def _flags(graph: HeteroData, rows: NDArray[np.int64]) -> Floats:
    return np.asarray(presence_of(graph).numpy()[rows], dtype=np.float64)
