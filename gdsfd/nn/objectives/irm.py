"""IRMv1: a predictor that is calibrated in scale in every environment."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from gdsfd.nn.losses import Targets
from gdsfd.nn.objective_registry import register_objective
from gdsfd.nn.objectives.suspect_objective import InvarianceObjective
from gdsfd.nn.predictor import Prediction

__all__ = ["Irm"]


@register_objective("irm")
class Irm(InvarianceObjective):
    r"""The squared gradient of each environment's risk by a common factor of the logits, as a penalty.

    .. math:: \text{penalty} = \sum_e \frac{n_e}{n} \Bigl( \frac{d}{dw} R_e(w f) \Bigr)^2_{w = 1}

    With :math:`g_i = \sum_k (p_{ik} - 1[y_i = k]) f_{ik}` the derivative of one label's cross-entropy, the square of
    its mean in an environment is estimated without bias by :math:`((\sum g)^2 - \sum g^2) / (n_e (n_e - 1))`: the
    square of a batch's mean alone would mostly measure how small the batch is. A single estimate may be below 0.
    Environments count by their labels; equal ones give the paper's objective over their number.

    It fails where :math:`P(y \mid x)` differs between environments for the cause, too, as when the outcome's share
    does, and where environments are few or much alike (Rosenfeld et al., ICLR 2021).

    Args:
        network: What is trained.
        num_suspects: Number of codes of each declared suspect.
        margin: Whether logits are trained beside ``Targets.margin``; the factor then is of the network's logits only.
        stage_one: Share of all epochs in which only cross-entropy acts.
        weight: Of the penalty, 0 to 1,000,000. The default was chosen among a few values by the weighted tuning
            loss on the simulated cohort ``confounded`` with seeds 0 and 1.

    References:
        Arjovsky et al., Invariant Risk Minimization, arXiv 1907.02893 (IRMv1). All pairs in place of two halves of a
        batch: our formulation.
    """

    def penalties(self, prediction: Prediction, targets: Targets, environments: list[Tensor]) -> list[Tensor]:
        """The squared gradients by each suspect, mean over outcomes."""
        own, y = prediction.logits.float(), targets.y
        whole = self.logits(prediction, targets)
        if y.is_floating_point():
            labelled = ~torch.isnan(y)
            slope = (whole.sigmoid() - torch.where(labelled, y, 0.5)) * own
        else:
            labelled = (y >= 0).unsqueeze(1)
            wanted = F.one_hot(y.clamp(min=0), whole.size(1))
            slope = ((whole.softmax(-1) - wanted) * own).sum(1, keepdim=True)
        slope = torch.where(labelled, slope, 0.0)
        found = []
        for environment in environments:
            count = environment.t() @ labelled.float()
            pairs = (environment.t() @ slope) ** 2 - environment.t() @ slope**2
            square = pairs / (count * (count - 1)).clamp(min=1)
            share = count / count.sum(0).clamp(min=1)
            found.append((share * torch.where(count > 1, square, 0.0)).sum(0).mean())
        return found
