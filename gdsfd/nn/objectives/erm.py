"""Empirical risk minimisation: cross-entropy, with weights and margins where a mode asks for them."""

from __future__ import annotations

from torch import Tensor

from gdsfd.nn.losses import Targets, outcome_loss
from gdsfd.nn.objectives.objective import Objective
from gdsfd.nn.predictor import Prediction

__all__ = ["ErmObjective"]


class ErmObjective(Objective):
    """Cross-entropy; with stratum weights or margins when a debiasing mode without streams asks for them.

    Args:
        weighted: Whether patients count by ``Targets.weight``.
        margin: Whether the logits are trained beside ``Targets.margin``.
    """

    def __init__(self, weighted: bool = False, margin: bool = False) -> None:
        super().__init__()
        self.weighted = weighted
        self.margin = margin

    def member_loss(self, number: int, prediction: Prediction, targets: Targets, stage: int) -> Tensor:
        """Cross-entropy of one member."""
        weight, margin = targets.weight if self.weighted else None, targets.margin if self.margin else None
        return outcome_loss(prediction.logits.float(), targets.y, weight, margin)
