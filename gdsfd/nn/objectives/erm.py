"""Empirical risk minimisation: cross-entropy, with weights and margins where a mode asks for them."""

from __future__ import annotations

from torch import Tensor

from gdsfd.nn.losses import LossWeight, Targets, loss_beside_margin, outcome_loss
from gdsfd.nn.objectives.objective import Objective
from gdsfd.nn.predictor import Prediction

__all__ = ["ErmObjective"]


class ErmObjective(Objective):
    """Cross-entropy; with stratum weights or margins when a debiasing mode without streams asks for them.

    Args:
        weighted: Whether patients count by ``Targets.weight``.
        margin: Whether the logits are trained beside ``Targets.margin``, or in expectation over found strata.
        loss_weight: Gives the weights in place of ``weighted``, from the network's logits and the targets.
    """

    def __init__(self, weighted: bool = False, margin: bool = False, loss_weight: LossWeight | None = None) -> None:
        super().__init__()
        self.weighted = weighted
        self.margin = margin
        self.loss_weight = loss_weight

    def member_loss(self, number: int, prediction: Prediction, targets: Targets, stage: int) -> Tensor:
        """Cross-entropy of one member."""
        logits = prediction.logits.float()
        weight = targets.weight if self.weighted else None
        if self.loss_weight is not None:
            weight = self.loss_weight(logits.detach(), None, targets)
        return loss_beside_margin(logits, targets, weight) if self.margin else outcome_loss(logits, targets.y, weight)
