"""Penalised logistic regression on the flattened table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from gdsfd.baselines.flat_baseline import Classifier, FlatBaseline, Labels, Matrix, all_classes
from gdsfd.baselines.labels import Floats

__all__ = ["Logistic", "Standardiser"]


class Standardiser:
    """Makes a table with holes fit for a linear model.

    Per column, all from the training rows: values are cut at the 1st and 99th percentile (one typing error must not
    carry a coefficient), holes are filled with the median, and the column is scaled to mean 0 and variance 1. Columns
    with holes get a flag; equal flags (mean, min and max of one lab) are kept once, constant columns not at all.

    Args:
        x: Training rows, NaN = not measured; [n, F].
    """

    def __init__(self, x: Matrix) -> None:
        measured = np.isfinite(x)
        self.columns = np.flatnonzero(measured.any(0))
        kept = x[:, self.columns].astype(np.float64)
        # numpy's quantiles of a table without columns have no shape worth unpacking.
        quantiles = np.nanquantile(kept, [0.01, 0.5, 0.99], axis=0) if len(self.columns) else np.empty((3, 0))
        self.low, self.median, self.high = quantiles
        # A rare 0/1 column has both percentiles at 0; cutting there would erase it.
        flat = self.high <= self.low
        self.low[flat], self.high[flat] = np.nanmin(kept[:, flat], axis=0), np.nanmax(kept[:, flat], axis=0)
        holes = ~measured[:, self.columns]
        candidates = np.flatnonzero(holes.any(0))
        packed = np.packbits(holes[:, candidates], axis=0)
        self.flags = candidates[np.unique(packed, axis=1, return_index=True)[1]] if len(candidates) else candidates
        filled = self._filled(x)
        self.mean = filled.mean(0)
        spread = filled.std(0)
        self.varying = spread > 1e-9
        self.scale = np.where(self.varying, spread, 1.0)

    def __call__(self, x: Matrix) -> Floats:
        """The table for the model; [n, varying columns and flags], no NaN, no value beyond 20 standard deviations."""
        return np.clip((self._filled(x) - self.mean) / self.scale, -20, 20)[:, self.varying]

    def _filled(self, x: Matrix) -> Floats:
        kept = x[:, self.columns].astype(np.float64)
        holes = ~np.isfinite(kept)
        values = np.where(holes, self.median, np.clip(kept, self.low, self.high))
        return np.concatenate([values, holes[:, self.flags].astype(np.float64)], axis=1)


class _Scaled:
    """A linear model behind its standardiser."""

    def __init__(self, standardise: Standardiser, model: LogisticRegression, classes: int) -> None:
        self.standardise, self.model, self.classes = standardise, model, classes

    def predict_proba(self, features: Matrix) -> Floats:
        if not len(features):
            return np.zeros((0, self.classes))
        answer = self.model.predict_proba(self.standardise(features))
        return all_classes(answer, self.model.classes_.astype(np.int64), self.classes)


class Logistic(FlatBaseline):
    """scikit-learn's ``LogisticRegression`` (ridge penalty) on imputed, flagged and scaled columns.

    The penalty is the one with the best log loss on the tuning rows; without at least ``min_tuning`` patients of each
    class there, it is the second strongest.

    Args:
        seed: Kept for symmetry; the solver draws nothing.
        strengths: Inverse penalties ``C`` tried, strongest penalty first.
        max_iter: Solver iterations.
        min_tuning: The fewest tuning patients of each class to choose on.
    """

    name = "logistic regression"

    def __init__(
        self,
        seed: int = 0,
        strengths: Sequence[float] = (0.0003, 0.001, 0.003, 0.01, 0.03, 0.1),
        max_iter: int = 300,
        min_tuning: int = 10,
    ) -> None:
        super().__init__(seed)
        self.strengths = tuple(strengths)
        self.max_iter = max_iter
        self.min_tuning = min_tuning
        #: Inverse penalty used, one number per outcome; 0 = nothing to learn from, training shares.
        self.chosen: list[float] = []

    def fit(self, graph: Any) -> Logistic:
        self.chosen = []
        return super().fit(graph)

    def describe(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "features": "flattened table; median imputation, flags for missing values, scaled",
            "penalty": "ridge",
            "C (chosen on tuning)": self.chosen,
        }

    def _chose_nothing(self) -> None:
        self.chosen.append(0.0)

    def _fit_one(self, x: Matrix, y: Labels, x_tuning: Matrix, y_tuning: Labels, classes: int) -> Classifier | None:
        standardise = Standardiser(x)
        scaled = standardise(x)
        if not scaled.shape[1]:
            return None
        seen = np.unique(y)
        judged = np.isin(y_tuning, seen)
        enough = min(np.bincount(y_tuning[judged], minlength=classes)[seen]) >= self.min_tuning
        scaled_tuning = standardise(x_tuning[judged]) if enough else None
        best, best_loss, best_strength = None, np.inf, 0.0
        for strength in self.strengths if enough else self.strengths[1:2] or self.strengths:
            model = LogisticRegression(C=strength, max_iter=self.max_iter)
            model.fit(scaled, y)
            loss = log_loss(y_tuning[judged], model.predict_proba(scaled_tuning), labels=seen) if enough else 0.0
            if loss < best_loss:
                best, best_loss, best_strength = model, loss, strength
        self.chosen.append(best_strength)
        return _Scaled(standardise, best, classes)
