"""Penalised logistic regression on the flattened table, beside the margin of the declared suspects."""

from __future__ import annotations

from typing import Any

import numpy as np

from gdsfd.baselines.baseline import BASELINES
from gdsfd.baselines.flat_baseline import Classifier, Labels
from gdsfd.baselines.linear_model import LinearModel
from gdsfd.baselines.logistic_settings import LogisticSettings
from gdsfd.baselines.margin_baseline import MarginBaseline, Sample, log_loss_beside
from gdsfd.baselines.offset_regression import fit_beside_offset
from gdsfd.baselines.standardiser import Standardiser

__all__ = ["LogisticMargin"]


@BASELINES.register("logistic_margin")
class LogisticMargin(LogisticSettings, MarginBaseline):
    """:class:`~gdsfd.baselines.logistic.Logistic` with the margin as an offset: the least that debiasing can be.

    The penalty is the one with the best log loss beside the margin on the tuning rows; without at least ``min_tuning``
    patients of each class there, it is the second strongest.

    Args:
        seed: Kept for symmetry; the solver draws nothing.
        strengths: Inverse penalties ``C`` tried, strongest penalty first.
        max_iter: Solver iterations.
        min_tuning: The fewest tuning patients of each class to choose on.
    """

    name = "logistic regression + margin"
    key = "logistic_margin"

    def describe(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "features": "flattened table; median imputation, flags for missing values, scaled",
            "offset in training": "log P(y | suspects) - log P(y), left out when predicting",
            "penalty": "ridge",
            "C (chosen on tuning)": self.chosen,
        }

    def _begin(self) -> None:
        self.chosen = []

    def _fit_beside(self, train: Sample, tuning: Sample | None, seen: Labels, classes: int) -> Classifier | None:
        standardise = Standardiser(train.x)
        scaled = standardise(train.x)
        if not scaled.shape[1]:
            return None
        scaled_tuning = None if tuning is None else standardise(tuning.x)
        best, best_loss, best_strength, found = None, np.inf, 0.0, None
        for strength in self.strengths if tuning is not None else self.strengths[1:2] or self.strengths:
            found = fit_beside_offset(scaled, train.y, train.offset, strength, self.max_iter, found)
            loss = 0.0
            if tuning is not None and scaled_tuning is not None:
                loss = log_loss_beside(scaled_tuning @ found[0].T + found[1], tuning)
            if loss < best_loss:
                best, best_loss, best_strength = found, loss, strength
        assert best is not None
        self.chosen.append(best_strength)
        return LinearModel(standardise, best[0], best[1], seen, classes)
