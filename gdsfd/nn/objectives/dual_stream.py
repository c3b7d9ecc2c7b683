"""The dual-stream objective: both heads' losses, shared content, exchanged codes and strata."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import cast

import torch
from torch import Tensor, nn

from gdsfd.nn.dependence import Dependence, build_dependence
from gdsfd.nn.ensemble import Ensemble
from gdsfd.nn.losses import (
    Targets,
    beside_margin,
    build_loss_weight,
    generalized_cross_entropy,
    loss_beside_margin,
    outcome_loss,
)
from gdsfd.nn.objectives.objective import Objective
from gdsfd.nn.predictor import Batch, Prediction
from gdsfd.nn.stream_predictor import StreamPrediction, StreamPredictor
from gdsfd.nn.streams.config import StreamConfig
from gdsfd.nn.streams.dual_streams import swapped
from gdsfd.nn.streams.modality_dropout import consistency

__all__ = ["StreamObjective", "conditions", "unconditioned"]

_MOST_CONDITIONS = 4


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
        self.new_head = config.adjusts  # there are no strata to average over before
        self.multiclass = network.multiclass
        self._classes = network.num_outputs if network.multiclass else 2
        self.critic_rate, self.critic_steps = config.critic_rate, config.critic_steps
        # The members are trained by the caller's optimiser; a plain list keeps them out of this module's parameters.
        self._members = [cast(StreamPredictor, member) for member in network.members]
        first = self._members[0]
        measured = config.information != "none" and config.information_weight > 0
        if config.measures_suspects and not num_suspects:
            measured = False  # no declared suspect is in the graph, or each has one code: nothing to predict
        self.dependence = nn.ModuleList(
            build_dependence(
                config.information, first.channels, first.channels, num_suspects, **config.information_options
            )
            for _ in self._members
            if measured
        )
        outputs = 1 if network.multiclass else first.num_outputs
        self.loss_weight = nn.ModuleList(
            build_loss_weight(config.weight, num_rows, outputs, **config.weight_options) for _ in self._members
        )

    def stage_one(self, max_epochs: int) -> int:
        """The mode's share of all epochs."""
        return round(self.config.stage_one * max_epochs)

    def member_loss(self, number: int, prediction: Prediction, targets: Targets, stage: int) -> Tensor:
        """The loss of one member."""
        assert isinstance(prediction, StreamPrediction)
        config, member, y = self.config, self._members[number], targets.y
        biased = prediction.biased_logits.float()
        loss, weight = self._outcome(number, prediction, biased, targets, stage)
        if config.biased_weight:
            loss = loss + config.biased_weight * generalized_cross_entropy(biased, y, config.q)
        if config.suspect_weight and targets.suspects is not None and len(member.suspect_out):
            read = [
                outcome_loss(head(prediction.biased).float(), targets.suspects[:, column])
                for column, head in enumerate(member.suspect_out)
            ]
            loss = loss + config.suspect_weight * torch.stack(read).mean()
        if stage == 1:
            return loss
        if len(self.dependence):
            measure = cast(Dependence, self.dependence[number])
            codes = _whole(prediction.causal), _whole(prediction.biased)
            if config.conditional:
                fixed = (
                    prediction.mask.dim() > 2 or y.device.type != "cpu"
                )  # a grid's [K, B, d], or a device to wait for
                within = [
                    measure.by_class(*codes, each, targets.suspects, self._classes, fixed) for each in conditions(y)
                ]
                shared = torch.stack(within).mean()
            else:
                shared = measure(*codes, None, targets.suspects)
            loss = loss + config.information_weight * shared
        if config.swap:
            moved, other = swapped(prediction.biased)
            logits = member.causal_logits(prediction.causal, moved).float()
            loss = loss + config.swap * self._beside(logits, targets, weight)
            if config.biased_weight:
                logits = member.biased_logits(prediction.causal, moved).float()
                loss = loss + config.swap * config.biased_weight * generalized_cross_entropy(logits, y[other], config.q)
        return loss

    def parts(self, number: int, prediction: Prediction, targets: Targets) -> Mapping[str, tuple[Tensor, Tensor]]:
        """With an adjustment codes are scored by it, given each patient's own stratum."""
        assert isinstance(prediction, StreamPrediction)
        member, codes = self._members[number], prediction.embeddings.parts
        if member.adjustment is None or member.streams.place != "input" or not codes:
            return prediction.parts
        stratum = self._stratum(number, prediction, targets)
        found = dict(prediction.parts)
        for name, part in codes.items():
            if part.code is not None:
                found[name] = self._logits(number, prediction, stratum, part.code), part.rows
        return found

    def _outcome(
        self, number: int, prediction: StreamPrediction, biased: Tensor, targets: Targets, stage: int
    ) -> tuple[Tensor, Tensor | None]:
        """The causal stream's loss, and the weights of its elements."""
        stratum = self._stratum(number, prediction, targets)
        logits = self._logits(number, prediction, stratum).float()
        weight = self._weight(number, logits, biased, targets)
        loss = self._beside(logits, targets, weight)
        if prediction.reduced is not None and stage > 1:
            # The stratum stays what it was: only what the code is worked out from has changed.
            other = self._logits(number, prediction, stratum, prediction.reduced).float()
            loss = loss + self._intervention(logits, other, targets, weight)
        return loss, weight

    def _stratum(self, number: int, prediction: StreamPrediction, targets: Targets) -> Tensor | None:
        """The stratum of each patient, int64 [B]; None where strata do not enter training."""
        adjustment = self._members[number].adjustment
        if adjustment is None:
            return None
        assert prediction.source is not None
        return adjustment.training_strata(prediction.source, targets.group)

    def _logits(
        self, number: int, prediction: StreamPrediction, stratum: Tensor | None, code: Tensor | None = None
    ) -> Tensor:
        """The logits that are fitted to the outcome: of the causal head, or of what takes its place.

        Args:
            number: Of the member.
            prediction: Its prediction.
            stratum: The patients' strata.
            code: Causal codes in place of the prediction's, [B, d].
        """
        member = self._members[number]
        if member.adjustment is not None:
            return member.adjustment.outcome_logits(prediction.causal if code is None else code, stratum)
        return prediction.logits if code is None else member.causal_logits(code, prediction.biased)

    def _beside(self, logits: Tensor, targets: Targets, weight: Tensor | None) -> Tensor:
        """The loss of a causal head's logits, beside the margin where the mode has one."""
        return loss_beside_margin(logits, targets, weight) if self.margin else outcome_loss(logits, targets.y, weight)

    def _intervention(self, first: Tensor, second: Tensor, targets: Targets, weight: Tensor | None) -> Tensor:
        """The loss on patients with re-drawn patterns, and how far they move."""
        moved = consistency(first.detach(), second, self.multiclass)
        return self.config.intervention * (self._beside(second, targets, weight) + self.config.consistency * moved)

    def judged_logits(self, number: int, prediction: Prediction, targets: Targets) -> Tensor:
        """With an adjustment what training fits, which may be the logits given the patient's own stratum."""
        assert isinstance(prediction, StreamPrediction)
        logits = self._logits(number, prediction, self._stratum(number, prediction, targets))
        return beside_margin(logits, targets) if self.margin else logits

    @torch.no_grad()
    def start_epoch(
        self,
        network: Ensemble,
        batches: Callable[[], Iterable[Batch]],
        targets: Targets,
        since: int,
    ) -> None:
        """Fits adjustments at the end of stage 1, and again every few epochs."""
        adjustments = [member.adjustment for member in self._members]
        found = [each for each in adjustments if each is not None]
        if not found or (since and (not found[0].refit_every or since % found[0].refit_every)):
            return
        mode = network.training
        network.eval()
        network.fit_memory(batches)
        sources: list[list[Tensor]] = [[] for _ in self._members]
        rows = []
        for batch in batches():
            rows.append(batch.rows.cpu())
            for each, prediction in zip(sources, network(batch)):
                each.append(prediction.source)
        group = None if targets.group is None else targets.group[torch.cat(rows)].to(sources[0][0].device)
        for adjustment, codes in zip(found, sources):
            adjustment.fit(torch.cat(codes), group)
        network.train(mode)

    def _weight(self, number: int, causal: Tensor, biased: Tensor, targets: Targets) -> Tensor | None:
        """Weight of each element in the causal head's loss."""
        weight: Tensor | None = self.loss_weight[number](causal.detach(), biased.detach(), targets)
        return weight

    def critic_loss(self, predictions: Sequence[Prediction], targets: Targets, stage: int) -> Tensor | None:
        """What the critics minimise; see :class:`Objective`."""
        if not len(self.dependence) or not cast(Dependence, self.dependence[0]).has_critic:
            return None
        parts = []
        for measure, prediction in zip(self.dependence, predictions):
            assert isinstance(prediction, StreamPrediction)
            for condition in conditions(targets.y) if self.config.conditional else [None]:
                parts.append(
                    cast(Dependence, measure).critic_loss(
                        _whole(prediction.causal), _whole(prediction.biased), condition, targets.suspects
                    )
                )
        found = [part for part in parts if part is not None]
        return torch.stack(found).sum() if found else None

    def critic_parameters(self) -> list[nn.Parameter]:
        """Parameters of the critics of all members."""
        return [parameter for measure in self.dependence for parameter in cast(Dependence, measure).critic_parameters()]


def unconditioned(num_outcomes: int) -> str:
    """What a user of several outcomes should know of :func:`conditions`; empty where it leaves none out."""
    if num_outcomes <= _MOST_CONDITIONS:
        return ""
    return (
        f"of {num_outcomes} outcomes the first {_MOST_CONDITIONS} are conditioned on where codes are compared inside "
        "outcome classes; declare those that matter most first"
    )


def conditions(y: Tensor) -> list[Tensor]:
    """Labels as classes to condition on, one per outcome (the first four); int64 [B] each, -1 = unlabelled."""
    if not y.is_floating_point():
        return [y]
    classes = torch.where(torch.isnan(y), -1.0, y).long()
    return [classes[:, column] for column in range(min(y.size(1), _MOST_CONDITIONS))]


def _whole(code: Tensor) -> Tensor:
    """Codes in single precision at least: a measure adds up over a batch, in other orders by other ways to the same."""
    return code.float() if code.dtype in (torch.float16, torch.bfloat16) else code
