"""What backbones do at a training's epochs and steps beside their forward pass; nothing for most of them."""

from __future__ import annotations

import logging
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import partial

import torch
from torch import Tensor, nn

from gdsfd.errors import InputError
from gdsfd.graph.patient_store import PatientStore
from gdsfd.nn.backbones import Backbone
from gdsfd.nn.embeddings import Embeddings
from gdsfd.nn.ensemble import Ensemble
from gdsfd.nn.losses import Targets, element_loss
from gdsfd.nn.objectives import Objective
from gdsfd.nn.predictor import Batch, Prediction, Predictor
from gdsfd.nn.stream_predictor import StreamPredictor
from gdsfd.training.config import TrainConfig

__all__ = ["BackboneHooks", "parameter_groups"]

_log = logging.getLogger(__name__)


class BackboneHooks:
    """Calls the hooks of the backbones in a network (see :class:`~gdsfd.nn.backbones.Backbone`).

    Args:
        network: The network that is trained.
        store: Its patients.
        config: A resolved configuration.
        critics: Whether the objective trains critics.

    Attributes:
        at_epochs: Whether any backbone has something to do before or after an epoch.
        on_gradients: Whether any changes gradients.
        replace_loss: Whether the training loss is the backbones' own; never with dual streams, which have one.
        read_truth: Whether :meth:`add_truth` is to see every step's predictions.
        read_memory: Whether training reads what ``fit_memory`` fits.
        num_members: Number of members.

    Raises:
        InputError: A setting does not go with a hook.
    """

    def __init__(self, network: Ensemble, store: PatientStore, config: TrainConfig, critics: bool = False) -> None:
        self._members = [member for member in network.members if isinstance(member, Predictor)]
        self._backbones = [
            (number, part)
            for number, member in enumerate(self._members)
            for part in member.modules()
            if isinstance(part, Backbone)
        ]
        parts = [part for _, part in self._backbones]
        self.at_epochs = any(part.has_hook("start_epoch") or part.has_hook("end_epoch") for part in parts)
        self.on_gradients = any(part.has_hook("after_backward") for part in parts)
        own_loss = sorted({type(part).__name__ for part in parts if part.has_hook("training_loss")})
        streams = any(isinstance(member, StreamPredictor) for member in self._members)
        if own_loss and streams:
            _log.warning("dual streams have a loss of their own: that of %s is left out", ", ".join(own_loss))
        self.replace_loss = bool(own_loss) and not streams
        self.read_truth = any(part.reads_truth for part in parts)
        self.read_memory = any(part.memory_in_training for part in parts)
        self.num_members = len(network.members)
        self._max_epochs = config.max_epochs
        self._truth: dict[tuple[int, str], list[Tensor]] = defaultdict(list)
        self._complete_first = max((part.complete_first for part in parts), default=0)
        self._store = store
        names = ", ".join(sorted({type(part).__name__ for part in parts}))
        if self.on_gradients and config.precision == "16-mixed":
            raise InputError(
                f"setting 'precision': {names} reads gradients, which '16-mixed' scales; expected 'bf16-mixed' or "
                "'32-true'"
            )
        if self.replace_loss and critics:
            raise InputError(f"{names} replaces the training loss; expected an objective that trains no critics")

    def start_epoch(self, epoch: int) -> None:
        """Tells all backbones that an epoch begins; ``epoch`` have been done."""
        self._truth.clear()
        for _, part in self._backbones:
            part.start_epoch(epoch)

    def end_epoch(self, row: Mapping[str, float]) -> None:
        """Tells all backbones what came out of an epoch; ``row`` is its line of the history."""
        given = {name: float(value) for name, value in row.items() if name != "seconds"}
        given["max_epochs"] = float(self._max_epochs)
        truth: list[dict[str, float]] = [{} for _ in self._members]
        for (number, name), found in self._truth.items():
            total, count = torch.stack(found).sum(0).tolist()
            truth[number][f"truth of {name}"] = total / count if count else math.nan
        for number, part in self._backbones:
            part.end_epoch({**given, **truth[number]})

    @torch.no_grad()
    def add_truth(self, predictions: Sequence[Prediction], targets: Targets) -> None:
        """Keeps how probable each member's parts find the true labels of a batch."""
        for number, prediction in enumerate(predictions):
            for name, (logits, rows) in prediction.parts.items():
                loss, labelled = element_loss(logits.float(), targets.y)
                speaks = rows.unsqueeze(-1) if labelled.dim() > rows.dim() else rows
                counted = (labelled & (speaks > 0)).to(loss.dtype)
                self._truth[number, name].append(torch.stack([(torch.exp(-loss) * counted).sum(), counted.sum()]))

    @torch.no_grad()
    def after_backward(self) -> None:
        """Lets backbones change the gradients of their members."""
        for number, part in self._backbones:
            if part.has_hook("after_backward"):
                part.after_backward(parameter_groups(self._members[number], part))

    def loss(self, batch: Batch, targets: Targets, objective: Objective, stage: int) -> Tensor:
        """The members' own training losses of a batch, in nats, summed."""
        total = torch.zeros((), device=targets.y.device)
        for number, member in enumerate(self._members):
            assert isinstance(member.backbone, Backbone)
            tokens, layout = member.inputs(batch)
            criterion = partial(_criterion, objective, number, member, targets, stage)
            total = total + member.backbone.training_loss(tokens, layout, batch.y, criterion)
        return total

    def in_order(self, rows: Tensor, epoch: int) -> Tensor:
        """An epoch's patients, int64 [n]: as given, or those with the most modalities first."""
        if epoch >= self._complete_first:
            return rows
        count = torch.zeros(len(self._store), dtype=torch.long)
        for name in self._store.schema.names:
            count[self._store.patients_with(name)] += 1
        return rows[count[rows].argsort(descending=True, stable=True)]


def _criterion(
    objective: Objective,
    number: int,
    member: Predictor,
    targets: Targets,
    stage: int,
    embeddings: Embeddings,
    rows: Tensor | None = None,
) -> Tensor:
    """The objective's loss of embeddings of one member; see :class:`~gdsfd.nn.backbones.backbone.Criterion`."""
    mine = targets if rows is None else targets.take(rows)
    return objective.add_member(
        torch.zeros((), device=mine.y.device), number, member.prediction(embeddings), mine, stage
    )


def parameter_groups(member: Predictor, backbone: Backbone) -> dict[str, list[nn.Parameter]]:
    """A member's trained parameters by name of their group; see :meth:`Backbone.after_backward`."""
    groups = {f"encoder:{name}": _trained(encoder) for name, encoder in zip(member.names, member.encoders)}
    groups["fusion"] = _trained(backbone)
    taken = {id(each) for group in groups.values() for each in group}
    groups["head"] = [each for each in _trained(member) if id(each) not in taken]
    return groups


def _trained(module: nn.Module) -> list[nn.Parameter]:
    return [each for each in module.parameters() if each.requires_grad]
