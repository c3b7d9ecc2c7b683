"""The objective of training: the protocol, and the sum over an ensemble's members."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import torch
from torch import Tensor, nn

from gdsfd.nn.ensemble import Ensemble
from gdsfd.nn.losses import Targets, beside_margin
from gdsfd.nn.losses.expected_loss import elements_beside_margin
from gdsfd.nn.losses.outcome_loss import element_loss, mean_over_labelled
from gdsfd.nn.predictor import Batch, Prediction

__all__ = ["Objective"]


class Objective(nn.Module):
    """Sums the members' losses: the gradient of each member is as if it were alone."""

    weighted: bool = False
    margin: bool = False
    critic_rate: float = 1e-3
    critic_steps: int = 1
    #: Whether stage 2 trains what is not there in stage 1 (a head that predicts, a penalty that makes the method), so
    #: that the best epoch is one of stage 2.
    new_head: bool = False
    #: Number of the first member that starts from ``Targets.trees``; such an objective has ``margin``.
    boosted_from: int | None = None

    @property
    def judged_weighted(self) -> bool:
        """Whether tuning patients count by ``Targets.weight`` in the loss that the epoch is chosen by."""
        return self.weighted

    def stage_one(self, max_epochs: int) -> int:
        """Epochs that stage 1 lasts, at most."""
        return 0

    def forward(self, predictions: Sequence[Prediction], targets: Targets, stage: int) -> Tensor:
        """The loss of a batch, in nats per member, summed over members.

        Args:
            predictions: Of :meth:`Ensemble.forward`.
            targets: Labels and what else is known.
            stage: 1: only the heads' own losses; 2: all parts.
        """
        total = torch.zeros((), device=targets.y.device)
        for number, prediction in enumerate(predictions):
            total = self.add_member(total, number, prediction, targets, stage)
        return total

    def add_member(self, total: Tensor, number: int, prediction: Prediction, targets: Targets, stage: int) -> Tensor:
        """Adds to ``total`` all losses of one member: the outcome's, the backbone's own, and those of its parts."""
        total = total + self.member_loss(number, prediction, self._own(number, targets), stage)
        if prediction.embeddings.aux_loss is not None:
            total = total + prediction.embeddings.aux_loss
        if prediction.parts_weight:
            for logits, rows in self.parts(number, prediction, targets).values():
                total = total + prediction.parts_weight * self.part_loss(logits, rows, targets)
        return total

    def parts(self, number: int, prediction: Prediction, targets: Targets) -> Mapping[str, tuple[Tensor, Tensor]]:
        """A member's predictions beside the main one: name -> logits [B, outputs] and whom they speak of."""
        return prediction.parts

    def part_loss(self, logits: Tensor, rows: Tensor, targets: Targets) -> Tensor:
        """The outcome's loss of a prediction beside the main one, in nats, with the main one's weights and margins.

        Args:
            logits: float [B, outputs].
            rows: Whom it speaks of; bool [B], or weights, float [B] or as the labels.
            targets: Labels and what else is known.

        Returns:
            The mean over those labelled entries; 0, with a gradient of 0, where there is none.
        """
        weight, own = targets.weight if self.weighted else None, logits.float()
        loss, labelled = elements_beside_margin(own, targets) if self.margin else element_loss(own, targets.y)
        speaks = rows.unsqueeze(-1) if labelled.dim() > rows.dim() else rows
        if speaks.is_floating_point():
            weight, speaks = speaks if weight is None else speaks * weight, speaks > 0
        return mean_over_labelled(loss, labelled & speaks, weight)

    def member_loss(self, number: int, prediction: Prediction, targets: Targets, stage: int) -> Tensor:
        """The loss of one member's prediction."""
        raise NotImplementedError

    def judged_logits(self, number: int, prediction: Prediction, targets: Targets) -> Tensor:
        """The logits that the tuning loss is of: what is learned beside a margin is judged beside it.

        Early stopping would otherwise choose the epoch that follows the suspects best.

        Returns:
            float [B, outputs]; beside found strata once per stratum, [B, K, outputs], to be weighed by
            ``Targets.strata_share``.
        """
        return beside_margin(prediction.logits, self._own(number, targets)) if self.margin else prediction.logits

    def _own(self, number: int, targets: Targets) -> Targets:
        """A member's targets. Its parts, which are predictions of their own, do not start from trees."""
        boosted = self.boosted_from is not None and number >= self.boosted_from
        return targets.beside_trees() if boosted else targets

    def start_epoch(
        self,
        network: Ensemble,
        batches: Callable[[], Iterable[Batch]],
        targets: Targets,
        since: int,
    ) -> None:
        """What is to be fitted on training patients before an epoch of stage 2.

        Args:
            network: The network, with its current weights.
            batches: A pass over the training patients, on the network's device.
            targets: What is known of all the graph's patients.
            since: Epochs of stage 2 so far.
        """

    def critic_loss(self, predictions: Sequence[Prediction], targets: Targets, stage: int) -> Tensor | None:
        """What the critics' own optimiser minimises; None when there is nothing to train."""
        return None

    def critic_parameters(self) -> list[nn.Parameter]:
        """Parameters of learned measures of dependence."""
        return []
