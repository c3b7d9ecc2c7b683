"""The optimiser of learned measures of dependence, in turns with the network's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from gdsfd.nn.losses import Targets
from gdsfd.nn.objectives import Objective
from gdsfd.nn.predictor import Prediction

__all__ = ["Critics"]


class Critics:
    """Trains an objective's critics; does nothing where there are none.

    A critic sees the codes of the step before the encoders move, without gradient to them, and from stage 1 on: when
    its estimate begins to count it has had time to learn.

    Args:
        objective: Whose critics; names their learning rate and their steps per training step.
    """

    def __init__(self, objective: Objective) -> None:
        self.objective = objective
        parameters = objective.critic_parameters()
        self.optimizer = torch.optim.Adam(parameters, lr=objective.critic_rate, fused=True) if parameters else None

    def step(self, predictions: Sequence[Prediction], targets: Targets, stage: int) -> None:
        """Some steps on a batch's codes."""
        if self.optimizer is None:
            return
        for _ in range(self.objective.critic_steps):
            loss = self.objective.critic_loss(predictions, targets, stage)
            if loss is None:
                return
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()

    def state_dict(self) -> dict[str, Any]:
        """The optimiser's state, for checkpoints."""
        return self.optimizer.state_dict() if self.optimizer is not None else {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Takes the state of a checkpoint."""
        if self.optimizer is not None:
            self.optimizer.load_state_dict(state)
