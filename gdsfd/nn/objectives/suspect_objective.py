"""What objectives share that see patients in groups by their declared suspects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import torch
from torch import Tensor
from torch.nn import functional as F

from gdsfd.nn.ensemble import Ensemble
from gdsfd.nn.losses import Targets, element_loss
from gdsfd.nn.losses.outcome_loss import mean_over_labelled
from gdsfd.nn.objectives.objective import Objective
from gdsfd.nn.predictor import Prediction
from gdsfd.setting_checks import Number

__all__ = ["InvarianceObjective", "SuspectObjective", "risks"]


class SuspectObjective(Objective):
    """An objective of a network without streams that reads the declared suspects.

    The codes of a suspect are the environments of the literature. With several suspects patients are in one environment
    of each; objectives average over suspects, because crossing them leaves more environments than patients.

    The epoch is chosen by the loss of tuning patients weighted so that the suspects tell nothing of the outcome, for
    every objective alike: plain tuning patients share the bias and would choose the epoch that follows it best.

    Args:
        network: What is trained.
        num_suspects: Number of codes of each declared suspect.
        margin: Whether logits are trained beside ``Targets.margin``.
        stage_one: Share of all epochs in which only cross-entropy acts.
    """

    @property
    def judged_weighted(self) -> bool:
        """Always."""
        return True

    def __init__(
        self, network: Ensemble, num_suspects: Sequence[int] = (), margin: bool = False, stage_one: float = 0.0
    ) -> None:
        super().__init__()
        self.multiclass, self.num_outputs = network.multiclass, network.num_outputs
        self.num_suspects, self.margin, self.share_of_stage_one = tuple(num_suspects), margin, stage_one

    def stage_one(self, max_epochs: int) -> int:
        """The mode's share of all epochs."""
        return round(self.share_of_stage_one * max_epochs)

    def logits(self, prediction: Prediction, targets: Targets) -> Tensor:
        """What is fitted to the labels, float [B, outputs]: the logits, beside the margin where there is one."""
        return self.judged_logits(0, prediction, targets).float()

    def elements(self, prediction: Prediction, targets: Targets) -> tuple[Tensor, Tensor]:
        """Cross-entropy of every label in nats, 0 where there is none, and where there is one; both [B, outcomes].

        A multi-class outcome is one column.
        """
        loss, labelled = element_loss(self.logits(prediction, targets), targets.y)
        return loss.reshape(len(loss), -1), labelled.reshape(len(loss), -1)

    def environments(self, targets: Targets) -> list[Tensor]:
        """Per suspect which environment each patient is in, 0/1 float [B, codes]; a missing code is in none."""
        if targets.suspects is None:
            return []
        columns = zip(targets.suspects.unbind(1), self.num_suspects, strict=True)
        return [F.one_hot(code + 1, size + 1)[:, 1:].float() for code, size in columns]


class InvarianceObjective(SuspectObjective):
    r"""Cross-entropy and a penalty on what differs between environments.

    .. math:: L = \frac{\operatorname{mean} CE + \lambda \, \text{penalty}}{\max(1, \lambda)}

    Stage 1 minimises the cross-entropy alone, and the best epoch is one of stage 2. Dividing keeps the gradient's size
    where the penalty outweighs the rest.

    Args:
        network: What is trained.
        num_suspects: Number of codes of each declared suspect.
        margin: Whether logits are trained beside ``Targets.margin``.
        stage_one: Share of all epochs in which only cross-entropy acts.
        weight: :math:`\lambda`, 0 to 1,000,000.
    """

    new_head = True  # without its penalty an epoch is ERM's, and not in the running

    def __init__(
        self,
        network: Ensemble,
        num_suspects: Sequence[int] = (),
        margin: bool = False,
        stage_one: float = 0.0,
        weight: Annotated[float, Number(0, 1_000_000)] = 10.0,
    ) -> None:
        super().__init__(network, num_suspects, margin, stage_one)
        self.weight = weight

    def member_loss(self, number: int, prediction: Prediction, targets: Targets, stage: int) -> Tensor:
        """The loss of one member."""
        risk = mean_over_labelled(*self.elements(prediction, targets))
        environments = self.environments(targets)
        if stage == 1 or not environments:
            return risk
        penalty = torch.stack(self.penalties(prediction, targets, environments)).mean()
        return (risk + self.weight * penalty) / max(1.0, self.weight)

    def penalties(self, prediction: Prediction, targets: Targets, environments: list[Tensor]) -> list[Tensor]:
        """What differs between the environments of each suspect, scalars; 0 where nothing can be compared.

        Args:
            prediction: Of a batch.
            targets: Its labels.
            environments: Of :meth:`environments`, at least one suspect's.
        """
        raise NotImplementedError


def risks(loss: Tensor, labelled: Tensor, environment: Tensor) -> tuple[Tensor, Tensor]:
    """Mean loss of each environment and its share of the labels, both [codes, outcomes]; 0 where it has none.

    Args:
        loss: 0 where unlabelled; float [B, outcomes].
        labelled: bool [B, outcomes].
        environment: 0/1; float [B, codes].
    """
    count = environment.t() @ labelled.float()
    return environment.t() @ loss / count.clamp(min=1), count / count.sum(0).clamp(min=1)
