"""A running average of the weights."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

__all__ = ["RunningAverage"]


class RunningAverage:
    r"""Exponential average of a network's parameters, :math:`a \leftarrow \beta_t a + (1 - \beta_t) w` after each step.

    The decay starts low, :math:`\beta_t = \min(\beta, (1 + t) / (10 + t))`, so that the start is soon forgotten.

    Args:
        network: The network that is trained.
        decay: :math:`\beta`; 0 = keep no average.
        weights: The average so far (of a resumed run), with the number of steps under ``"steps"``.
    """

    def __init__(self, network: nn.Module, decay: float, weights: dict[str, Tensor] | None = None) -> None:
        self.decay = decay
        self.parameters = dict(network.named_parameters()) if decay else {}
        self.average = {name: value.detach().clone() for name, value in self.parameters.items()}
        self.steps = 0
        if weights and decay:
            self.steps = int(weights["steps"])
            for name, value in self.average.items():
                value.copy_(weights[name])

    @property
    def weights(self) -> dict[str, Tensor]:
        """The average, for a checkpoint; empty when none is kept."""
        if not self.decay:
            return {}
        return {**self.average, "steps": torch.tensor(self.steps)}

    @torch.no_grad()
    def update(self) -> None:
        """Takes the weights after a step into the average."""
        if not self.decay:
            return
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps))
        self.steps += 1
        averages = list(self.average.values())
        current = [value.detach() for value in self.parameters.values()]
        torch._foreach_lerp_(averages, current, 1 - decay)

    @contextmanager
    def swapped_in(self) -> Iterator[None]:
        """Inside, the network has the averaged weights; outside, its own again."""
        own = {name: value.detach().clone() for name, value in self.parameters.items()}
        self._put(self.average)
        try:
            yield
        finally:
            self._put(own)

    @torch.no_grad()
    def _put(self, weights: dict[str, Tensor]) -> None:
        for name, value in self.parameters.items():
            value.copy_(weights[name])
