"""What training has reached: everything that resuming needs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

__all__ = ["TrainingState"]


@dataclass
class TrainingState:
    """Progress of a run after some epochs.

    Args:
        epoch: Epochs done.
        best_epoch: Epoch of the best tuning value, counted from 1; 0 = none yet.
        best_value: That value (higher is better; a loss enters negated).
        best_weights: The network's state then.
        average: Running average of the weights, when the run keeps one.
        history: One row per epoch: losses, metrics, seconds.
        second: Epoch (counted from 0) with which stage 2 began; None = not yet.
        stopped: Whether training has ended (early, or at the last epoch).
    """

    epoch: int = 0
    best_epoch: int = 0
    best_value: float = float("-inf")
    best_weights: dict[str, Tensor] = field(default_factory=dict)
    average: dict[str, Tensor] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)
    second: int | None = None
    stopped: bool = False
