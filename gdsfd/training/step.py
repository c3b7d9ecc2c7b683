"""One step of training: the critics', then the network's."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from gdsfd.nn.losses import Targets
from gdsfd.nn.objectives import Objective
from gdsfd.nn.predictor import Batch
from gdsfd.ops.over_ranks import Ranks
from gdsfd.training.average import RunningAverage
from gdsfd.training.critics import Critics
from gdsfd.training.hooks import BackboneHooks

__all__ = ["Step"]


@dataclass(eq=False)
class Step:
    """One step of the critics, then one of the network.

    Args:
        fabric: The device and the precision.
        model: What is trained, as Fabric has set it up.
        optimizer: Likewise.
        objective: What is minimised.
        critics: Trains the objective's critics.
        average: Of the weights, after every step.
        hooks: Of the backbones.
        stage: Of the objective, 1 or 2.
        clip_norm: Largest gradient norm of one member; 0 = no clipping.
        ranks: The processes that train together: predictions and targets are then of all patients of the batch, and
            gradients the means of theirs.
    """

    fabric: Fabric
    model: nn.Module
    optimizer: torch.optim.Optimizer
    objective: Objective
    critics: Critics
    average: RunningAverage
    hooks: BackboneHooks
    stage: int
    clip_norm: float
    ranks: Ranks = field(default_factory=Ranks)

    def __call__(self, batch: Batch, targets: Targets, rate: float) -> Tensor:
        """Trains on one batch; the loss, without gradient."""
        self.set_rate(rate)
        loss = self.body(batch, targets)
        self.average.update()
        return loss

    def set_rate(self, rate: float | Tensor) -> None:
        """Sets the learning rate; a tensor is read by the device when it gets there."""
        for group in self.optimizer.param_groups:
            group["lr"] = rate

    def body(self, batch: Batch, targets: Targets) -> Tensor:
        """Forward, losses, backward, clipping and the optimiser: what a device can repeat by itself.

        Nothing here looks at a value on the way, where the batch is a grid and its parts keep to that; only on the CPU,
        where nothing has to be waited for, is a gradient that is no number an error at once.
        """
        if self.hooks.replace_loss:
            with self.fabric.autocast():
                loss = self.hooks.loss(batch, targets, self.objective, self.stage)
        else:
            loss = self.loss(batch, targets)
        self.optimizer.zero_grad()
        self.fabric.backward(loss)
        self.ranks.average_gradients(self.model.parameters())
        if self.hooks.on_gradients:
            self.hooks.after_backward()
        self.take(loss.device)
        return loss.detach()

    def loss(self, batch: Batch, targets: Targets) -> Tensor:
        """The objective's loss, after a step of its critics if it has any."""
        predictions = self.model(batch)
        self.critics.step(predictions, targets, self.stage)
        loss = self.objective(predictions, targets, self.stage)
        if self.hooks.read_truth:
            self.hooks.add_truth(predictions, targets)
        return loss

    def take(self, device: torch.device) -> None:
        """Clips the gradients that are there and takes the optimiser's step.

        Args:
            device: Where the gradients are.
        """
        if self.clip_norm:
            norm = self.clip_norm * self.hooks.num_members**0.5
            look = device.type == "cpu"
            self.fabric.clip_gradients(self.model, self.optimizer, max_norm=norm, error_if_nonfinite=look)
        self.optimizer.step()
