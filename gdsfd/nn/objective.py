"""What a training step minimises."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import cast

import torch
from torch import Tensor, nn

from gdsfd.graph.batch import PatientBatch
from gdsfd.nn.adjustment.thinning import consistency
from gdsfd.nn.dependence import Dependence, build_dependence
from gdsfd.nn.ensemble import Ensemble
from gdsfd.nn.losses import (
    RelativeDifficulty,
    Supervision,
    batch_difficulty,
    element_loss,
    generalized_cross_entropy,
    outcome_loss,
)
from gdsfd.nn.outcome_fit import outcome_fit
from gdsfd.nn.predictor import Prediction
from gdsfd.nn.stream_predictor import StreamPrediction, StreamPredictor
from gdsfd.nn.streams.config import StreamConfig
from gdsfd.nn.streams.swap import swapped

__all__ = ["ErmObjective", "Objective", "StreamObjective", "conditions"]

_MOST_CONDITIONS = 4


class Objective(nn.Module):
    """Sums the members' losses: the gradient of each member is as if it were alone."""

    weighted: bool = False
    margin: bool = False
    critic_rate: float = 1e-3
    critic_steps: int = 1
    #: Whether stage 2 predicts by a head that is not there in stage 1, so that the best epoch is one of stage 2.
    new_head: bool = False

    def stage_one(self, max_epochs: int) -> int:
        """Epochs that stage 1 lasts, at most."""
        return 0

    def forward(self, predictions: Sequence[Prediction], given: Supervision, stage: int) -> Tensor:
        """The loss of a batch, in nats per member, summed over members.

        Args:
            predictions: Of :meth:`Ensemble.forward`.
            given: Labels and what else is known.
            stage: 1: only the heads' own losses; 2: all parts.
        """
        total = torch.zeros((), device=given.y.device)
        for number, prediction in enumerate(predictions):
            total = total + self.member_loss(number, prediction, given, stage)
            if prediction.embeddings.aux_loss is not None:
                total = total + prediction.embeddings.aux_loss
        return total

    def member_loss(self, number: int, prediction: Prediction, given: Supervision, stage: int) -> Tensor:
        """The loss of one member's prediction."""
        raise NotImplementedError

    def judged_logits(self, number: int, prediction: Prediction, given: Supervision) -> Tensor:
        """The logits that the tuning loss is of: what is learned beside a margin is judged beside it.

        Early stopping would otherwise choose the epoch that follows the suspects best.
        """
        return prediction.logits if given.margin is None or not self.margin else prediction.logits + given.margin

    def start_epoch(
        self,
        network: Ensemble,
        batches: Callable[[], Iterable[PatientBatch]],
        given: Supervision,
        since: int,
    ) -> None:
        """What is to be fitted on training patients before an epoch of stage 2.

        Args:
            network: The network, with its current weights.
            batches: A pass over the training patients, on the network's device.
            given: What is known of all the graph's patients.
            since: Epochs of stage 2 so far.
        """

    def critic_loss(self, predictions: Sequence[Prediction], given: Supervision, stage: int) -> Tensor | None:
        """What the critics' own optimiser minimises; None when there is nothing to train."""
        return None

    def critic_parameters(self) -> list[nn.Parameter]:
        """Parameters of learned measures of dependence."""
        return []


class ErmObjective(Objective):
    """Cross-entropy; with stratum weights or margins when a debiasing mode without streams asks for them.

    Args:
        weighted: Whether patients count by ``Supervision.weight``.
        margin: Whether the logits are trained beside ``Supervision.margin``.
    """

    def __init__(self, weighted: bool = False, margin: bool = False) -> None:
        super().__init__()
        self.weighted = weighted
        self.margin = margin

    def member_loss(self, number: int, prediction: Prediction, given: Supervision, stage: int) -> Tensor:
        """Cross-entropy of one member."""
        weight, margin = given.weight if self.weighted else None, given.margin if self.margin else None
        return outcome_loss(prediction.logits.float(), given.y, weight, margin)


class StreamObjective(Objective):
    r"""The loss of dual streams.

    .. math::
        L_1 &= \operatorname{mean} W_i\, CE(C_c, y_i) + \lambda_b \operatorname{mean} GCE(C_b, y_i)
               + \lambda_s CE(\text{suspects} \mid z_b) \\
        L_2 &= L_1 + \lambda_{mi} \hat I(z_c; z_b) + \lambda_{sw} L_1(z_c, \tilde z_b, \tilde y)

    Stage 1 minimises the first line, stage 2 the second.

    Args:
        network: The ensemble that is trained.
        config: The parts of the mode.
        num_rows: Patients of the graph.
        num_suspects: Number of codes of each declared suspect.

    References:
        METHODS of the documentation: form after DisC (NeurIPS 2022); see :class:`StreamConfig` for what is whose.
    """

    def __init__(
        self, network: Ensemble, config: StreamConfig, num_rows: int, num_suspects: Sequence[int] = ()
    ) -> None:
        super().__init__()
        self.config = config
        self.weighted, self.margin = config.weighted, config.margin
        self.new_head = config.prototypes is not None  # there are no strata to average over before
        self.multiclass = network.multiclass
        self.critic_rate, self.critic_steps = config.critic_rate, config.critic_steps
        # The members are trained by the caller's optimiser; a plain list keeps them out of this module's parameters.
        self._members = [cast(StreamPredictor, member) for member in network.members]
        self._fits = [outcome_fit(member) for member in self._members]
        first = self._members[0]
        measured = config.information != "none" and config.information_weight > 0
        if config.information == "grl" and not num_suspects:
            measured = False  # no declared suspect is in the graph, or each has one code: nothing to predict
        self.dependence = nn.ModuleList(
            build_dependence(
                config.information, first.channels, first.channels, num_suspects, **config.information_options
            )
            for _ in self._members
            if measured
        )
        outputs = 1 if network.multiclass else first.num_outputs
        self.difficulty = nn.ModuleList(
            RelativeDifficulty(num_rows, outputs) for _ in self._members if config.weight == "relative_difficulty"
        )

    def stage_one(self, max_epochs: int) -> int:
        """The mode's share of all epochs."""
        return round(self.config.stage_one * max_epochs)

    def member_loss(self, number: int, prediction: Prediction, given: Supervision, stage: int) -> Tensor:
        """The loss of one member."""
        assert isinstance(prediction, StreamPrediction)
        config, member, y = self.config, self._members[number], given.y
        margin = given.margin if config.margin else None
        biased = prediction.biased_logits.float()
        loss, weight = self._outcome(number, prediction, biased, given, stage)
        if config.biased_weight:
            loss = loss + config.biased_weight * generalized_cross_entropy(biased, y, config.q)
        if config.suspect_weight and given.suspects is not None and len(member.suspect_out):
            told = [
                outcome_loss(head(prediction.biased).float(), given.suspects[:, column])
                for column, head in enumerate(member.suspect_out)
            ]
            loss = loss + config.suspect_weight * torch.stack(told).mean()
        if stage == 1:
            return loss
        if len(self.dependence):
            measure = cast(Dependence, self.dependence[number])
            parts = [
                measure(prediction.causal.float(), prediction.biased.float(), condition, given.suspects)
                for condition in (conditions(y) if config.conditional else [None])
            ]
            loss = loss + config.information_weight * torch.stack(parts).mean()
        if config.swap:
            moved, other = swapped(prediction.biased)
            logits = member.causal_logits(prediction.causal, moved).float()
            loss = loss + config.swap * outcome_loss(logits, y, weight, margin)
            if config.biased_weight:
                logits = member.biased_logits(prediction.causal, moved).float()
                loss = loss + config.swap * config.biased_weight * generalized_cross_entropy(logits, y[other], config.q)
        return loss

    def _outcome(
        self, number: int, prediction: StreamPrediction, biased: Tensor, given: Supervision, stage: int
    ) -> tuple[Tensor, Tensor | None]:
        """The causal stream's loss, and the weights of its elements."""
        fit, y, margin = self._fits[number], given.y, given.margin if self.margin else None
        self._follow(self._members[number], prediction, given, stage)
        stratum = fit.strata(prediction, given.group)
        logits = fit.logits(prediction, stratum).float()
        weight = self._weight(number, logits, biased, given)
        loss = outcome_loss(logits, y, weight, margin)
        beside = fit.beside(prediction, stratum, y, weight, margin)
        if beside is not None:
            loss = loss + beside
        if prediction.thinned is not None and stage > 1:
            other = fit.thinned(prediction.thinned, prediction, stratum).float()
            loss = loss + self._intervention(logits, other, y, weight, margin)
        return loss, weight

    def _follow(self, member: StreamPredictor, prediction: StreamPrediction, given: Supervision, stage: int) -> None:
        """Moves prototypes after the codes of a training step (``update="ema"``)."""
        head = member.deconfounder
        if head is None or head.config.update != "ema" or stage == 1 or not member.training:
            return
        assert prediction.source is not None
        assert given.group is not None
        head.prototypes.update(prediction.source, given.group)

    def _intervention(
        self, first: Tensor, second: Tensor, y: Tensor, weight: Tensor | None, margin: Tensor | None
    ) -> Tensor:
        """The loss on patients with re-drawn patterns, and how far they move."""
        moved = consistency(first.detach(), second, self.multiclass)
        return self.config.intervention * (outcome_loss(second, y, weight, margin) + self.config.consistency * moved)

    def judged_logits(self, number: int, prediction: Prediction, given: Supervision) -> Tensor:
        """With prototypes what training fits, which may be the logits given the patient's own stratum."""
        assert isinstance(prediction, StreamPrediction)
        fit = self._fits[number]
        logits = fit.logits(prediction, fit.strata(prediction, given.group))
        return logits if given.margin is None or not self.margin else logits + given.margin

    @torch.no_grad()
    def start_epoch(
        self,
        network: Ensemble,
        batches: Callable[[], Iterable[PatientBatch]],
        given: Supervision,
        since: int,
    ) -> None:
        """Fits prototypes at the end of stage 1, and again every few epochs."""
        config = self.config.prototypes
        if config is None or given.group is None:
            return
        if since and (config.update == "ema" or since % config.refit_every):
            return
        mode = network.training
        network.eval()
        network.fit_states(batches)
        sources: list[list[Tensor]] = [[] for _ in self._members]
        groups = []
        for batch in batches():
            groups.append(given.group[batch.rows.cpu()])
            for each, prediction in zip(sources, network(batch)):
                each.append(prediction.source)
        for member, found in zip(self._members, sources):
            assert member.deconfounder is not None
            member.deconfounder.prototypes.fit(torch.cat(found), torch.cat(groups).to(found[0].device))
        network.train(mode)

    def _weight(self, number: int, causal: Tensor, biased: Tensor, given: Supervision) -> Tensor | None:
        """Weight of each element in the causal head's loss."""
        kind = self.config.weight
        if kind == "uniform":
            return None
        if self.weighted:
            return given.weight
        hard, labelled = element_loss(causal.detach(), given.y)
        easy, _ = element_loss(biased.detach(), given.y)
        if kind == "batch":
            return batch_difficulty(easy, hard, labelled).expand_as(hard)
        return self.difficulty[number](easy, hard, given.y, given.rows)

    def critic_loss(self, predictions: Sequence[Prediction], given: Supervision, stage: int) -> Tensor | None:
        """What the critics minimise; see :class:`Objective`."""
        if not len(self.dependence) or not cast(Dependence, self.dependence[0]).has_critic:
            return None
        parts = []
        for measure, prediction in zip(self.dependence, predictions):
            assert isinstance(prediction, StreamPrediction)
            for condition in conditions(given.y) if self.config.conditional else [None]:
                parts.append(
                    cast(Dependence, measure).critic_loss(
                        prediction.causal.float(), prediction.biased.float(), condition, given.suspects
                    )
                )
        found = [part for part in parts if part is not None]
        return torch.stack(found).sum() if found else None

    def critic_parameters(self) -> list[nn.Parameter]:
        """Parameters of the critics of all members."""
        return [parameter for measure in self.dependence for parameter in cast(Dependence, measure).critic_parameters()]


def conditions(y: Tensor) -> list[Tensor]:
    """Labels as classes to condition on, one per outcome (the first four); int64 [B] each, -1 = unlabelled."""
    if not y.is_floating_point():
        return [y]
    classes = torch.where(torch.isnan(y), -1.0, y).long()
    return [classes[:, column] for column in range(min(y.size(1), _MOST_CONDITIONS))]
