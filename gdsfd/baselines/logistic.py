"""Penalised logistic regression on the flattened table."""

from __future__ import annotations

from typing import Any

import numpy as np

from gdsfd.baselines.baseline import BASELINES
from gdsfd.baselines.flat_baseline import Classifier, Labels, Matrix
from gdsfd.baselines.linear_model import LinearModel
from gdsfd.baselines.logistic_settings import LogisticSettings
from gdsfd.baselines.standardiser import Standardiser

__all__ = ["Logistic"]


@BASELINES.register("logistic")
class Logistic(LogisticSettings):
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
    key = "logistic"

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

    def _fit_one(self, x: Matrix, y: Labels, x_tuning: Matrix, y_tuning: Labels, classes: int) -> Classifier | None:
        from sklearn.linear_model import LogisticRegression  # slow to import
        from sklearn.metrics import log_loss

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
        return LinearModel.of(standardise, best, classes)
