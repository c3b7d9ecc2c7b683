"""Group DRO: the worst group of outcome and environment counts most."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import torch
from torch import Tensor
from torch.nn import functional as F

from gdsfd.nn.ensemble import Ensemble
from gdsfd.nn.losses import Targets
from gdsfd.nn.objective_registry import register_objective
from gdsfd.nn.objectives.suspect_objective import SuspectObjective
from gdsfd.nn.predictor import Prediction
from gdsfd.setting_checks import Number

__all__ = ["GroupDro"]


@register_objective("group_dro")
class GroupDro(SuspectObjective):
    r"""Distributionally robust optimisation over the groups (outcome class, code of a suspect).

    .. math:: q_g \leftarrow q_g \exp(\eta R_g) / \textstyle\sum, \qquad L = \sum_g q_g R_g

    with :math:`R_g` the mean cross-entropy of the batch's patients in group :math:`g`, 0 where there are none. The
    weights :math:`q` start uniform, and move before each step of the network. Patients come as they are shuffled, not
    group by group. The groups of all suspects share one :math:`q`; every outcome and every member has its own. It acts
    from the first epoch on.

    It fails where groups are many and small, whose worst one is worst by chance or by noisy labels, and it says nothing
    of a bias that holds inside every group.

    Args:
        network: What is trained.
        num_suspects: Number of codes of each declared suspect.
        margin: Whether logits are trained beside ``Targets.margin``.
        stage_one: Not read.
        step_size: :math:`\eta`, 0 to 100.

    References:
        Sagawa et al., ICLR 2020, algorithm 1, with the mean over a batch's groups at each step, as in the authors'
        code, in place of one group drawn at random. Groups by several suspects: our formulation.
    """

    share: Tensor

    def __init__(
        self,
        network: Ensemble,
        num_suspects: Sequence[int] = (),
        margin: bool = False,
        stage_one: float = 0.0,
        step_size: Annotated[float, Number(0, 100)] = 0.01,
    ) -> None:
        super().__init__(network, num_suspects, margin)
        self.step_size = step_size
        outcomes, self.classes = (1, self.num_outputs) if self.multiclass else (self.num_outputs, 2)
        groups = max(1, sum(self.num_suspects) * self.classes)
        self.register_buffer("share", torch.full((len(network.members), outcomes, groups), 1 / groups))

    def member_loss(self, number: int, prediction: Prediction, targets: Targets, stage: int) -> Tensor:
        """The loss of one member; moves its weights of groups."""
        loss, labelled = self.elements(prediction, targets)
        environments = self.environments(targets)
        if not environments:
            return loss.sum() / labelled.sum().clamp(min=1)
        place = torch.cat(environments, dim=1)  # [B, codes of all suspects]
        y = targets.y.unsqueeze(1) if self.multiclass else targets.y
        label = F.one_hot(torch.where(labelled, y, 0).long(), self.classes) * labelled.unsqueeze(-1)
        count = torch.einsum("be,bok->oek", place, label.float())
        total = torch.einsum("be,bok,bo->oek", place, label.float(), loss)
        risk = (total / count.clamp(min=1)).flatten(1)  # [outcomes, groups]
        with torch.no_grad():
            moved = self.share[number] * torch.exp(self.step_size * risk.detach())
            self.share[number] = moved / moved.sum(1, keepdim=True)
        return (self.share[number].clone() * risk).sum(1).mean()
