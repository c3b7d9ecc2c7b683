"""The course of a training: its learning rate, when its second stage begins, which epoch is best, when it ends."""

from __future__ import annotations

import math
from typing import Any

from torch import nn

from gdsfd.errors import InputError
from gdsfd.nn.objectives import Objective
from gdsfd.training.config import TrainConfig
from gdsfd.training.state import TrainingState

__all__ = ["DivergedError", "advance", "end_stage_one", "learning_rate"]

#: Epochs without a better one after which stage 1 gives way to a new head.
_WORSE_IN_STAGE_ONE = 2


class DivergedError(InputError):
    """The settings make training diverge; started again with them, it will diverge again."""


def learning_rate(config: TrainConfig, progress: float) -> float:
    """Cosine from the peak to a twentieth over ``max_epochs``, after a linear start over the first epoch."""
    assert config.learning_rate is not None
    warm = min(1.0, progress + 1e-3) if progress < 1 else 1.0
    share = min(progress / config.max_epochs, 1.0)
    return config.learning_rate * warm * (0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * share)))


def end_stage_one(state: TrainingState, network: nn.Module, objective: Objective, config: TrainConfig) -> None:
    """Begins stage 2 when stage 1 has lasted long enough.

    Before a new head comes in, also when stage 1 no longer gets better; it then goes back to its best epoch. On a
    cohort of two thousand patients the best epoch can be the second: 15 epochs would end far beyond it.
    """
    if state.second is not None:
        return
    last = objective.stage_one(config.max_epochs)
    if state.epoch < last:
        if not _awaits_head(state, objective, config) or state.epoch - state.best_epoch < _WORSE_IN_STAGE_ONE:
            return
        network.load_state_dict(state.best_weights)
    state.second = state.epoch
    if objective.new_head:  # epochs without it are not in the running
        state.best_value = -math.inf


def advance(
    state: TrainingState, row: dict[str, Any], network: nn.Module, objective: Objective, config: TrainConfig
) -> None:
    """Takes a finished epoch into the state."""
    state.epoch += 1
    state.history.append(row)
    value = (
        row["tuning_auprc"]
        if config.monitor == "auprc" and not math.isnan(row["tuning_auprc"])
        else -row["tuning_loss"]
    )
    if not math.isfinite(value):
        raise DivergedError(
            f"training diverged in epoch {state.epoch}: the tuning loss is {row['tuning_loss']}; lower learning_rate"
        )
    if value > state.best_value or not state.best_weights:
        state.best_value, state.best_epoch = value, state.epoch
        state.best_weights = {name: tensor.detach().cpu().clone() for name, tensor in network.state_dict().items()}
    late = not _awaits_head(state, objective, config) and state.epoch - state.best_epoch >= config.patience
    state.stopped = state.epoch >= config.max_epochs or late


def _awaits_head(state: TrainingState, objective: Objective, config: TrainConfig) -> bool:
    """Whether the head that will predict is still to come."""
    comes = objective.new_head and objective.stage_one(config.max_epochs) < config.max_epochs
    return comes and state.second is None
