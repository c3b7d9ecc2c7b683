"""Why a training ended, in words."""

from __future__ import annotations

from gdsfd.training.config import TrainConfig
from gdsfd.training.state import TrainingState

__all__ = ["why_ended"]


def why_ended(state: TrainingState, config: TrainConfig) -> str:
    """Says whether the limit of epochs or early stopping ended a training, and what to do about the former.

    Args:
        state: The progress that it ended with.
        config: The settings that it ran with.

    Example:
        >>> why_ended(TrainingState(epoch=8, best_epoch=8), TrainConfig(max_epochs=8))
        'ended by max_epochs=8 while the tuning loss was still falling: raise max_epochs'
    """
    figure, better = ("loss", "falling") if config.monitor == "loss" else ("AUPRC", "rising")
    if state.epoch - state.best_epoch >= config.patience:
        return f"stopped: no better tuning {figure} for {config.patience} epochs"
    ended = f"ended by max_epochs={config.max_epochs}"
    if state.best_epoch == state.epoch:
        return f"{ended} while the tuning {figure} was still {better}: raise max_epochs"
    since = state.epoch - state.best_epoch
    return f"{ended}, {since} epochs after the best tuning {figure} (patience is {config.patience})"
