"""Dependence measures that learn a critic."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Annotated, Any, ClassVar

import torch
from torch import Tensor, nn
from torch.func import functional_call

from gdsfd.nn.dependence.dependence import CodeGroup, Dependence
from gdsfd.nn.dependence.running_scale import RunningScale
from gdsfd.setting_checks import Number

__all__ = ["LearnedDependence", "frozen_call"]


class LearnedDependence(Dependence):
    """An estimate by a critic that has to be trained beside the encoders.

    Mutual information is never negative. An estimate far below zero therefore says only that the critic is behind, and
    an encoder that goes on descending it learns to fool this critic, with a gradient that may grow without limit.
    Below ``floor`` the value is still the estimate but its gradient is 0.

    Args:
        channels_causal: Width d_c.
        channels_biased: Width d_b.
        num_suspects: Levels of each suspect.
        floor: Nats below which nothing is descended.
    """

    has_critic: ClassVar[bool] = True

    def __init__(
        self,
        channels_causal: int,
        channels_biased: int,
        num_suspects: Sequence[int] = (),
        floor: Annotated[float, Number(-1000, 1000)] = -1.0,
    ) -> None:
        super().__init__(channels_causal, channels_biased, num_suspects)
        self.floor = floor

    @abstractmethod
    def critic_term(self, group: CodeGroup) -> Tensor:
        """The critic's loss within one group of detached codes, a scalar in nats."""

    @abstractmethod
    def scales(self) -> tuple[RunningScale, RunningScale | None]:
        """The running scales of the causal and of the biased code; None for a code that is not read."""

    def forward(
        self, causal: Tensor, biased: Tensor, condition: Tensor | None = None, suspects: Tensor | None = None
    ) -> Tensor:
        """What the encoders minimise, in nats; see :class:`Dependence`."""
        value = super().forward(causal, biased, condition, suspects)
        return torch.where(value >= self.floor, value, value.detach())

    def critic_loss(
        self, causal: Tensor, biased: Tensor, condition: Tensor | None = None, suspects: Tensor | None = None
    ) -> Tensor | None:
        """What the critic's optimiser minimises, in nats; in training it also moves the critic's running statistics."""
        causal, biased = causal.detach(), biased.detach()
        self._check(causal, biased, condition, suspects)
        if self.training:
            kept = slice(None) if condition is None else condition >= 0
            of_causal, of_biased = self.scales()
            of_causal.update(causal[kept])
            if of_biased is not None:
                of_biased.update(biased[kept])
        found = self._average(self.critic_term, causal, biased, condition, suspects)
        # Every parameter has a gradient, if only 0, also in a batch too small or without classes.
        nothing = torch.stack([each.sum() for each in self.critic_parameters()]).sum() * 0
        return nothing if found is None else found + nothing


def frozen_call(network: nn.Module, *args: Any) -> Any:
    """Calls a network with its parameters held constant.

    The gradient reaches ``args`` and not the parameters, whatever their ``requires_grad`` says; nothing is switched off
    and on again, so that a graph built before stays as it was.

    Example:
        >>> import torch
        >>> network, x = nn.Linear(2, 1), torch.ones(3, 2, requires_grad=True)
        >>> frozen_call(network, x).sum().backward()
        >>> network.weight.grad is None, x.grad is None
        (True, False)
    """
    return functional_call(network, {name: each.detach() for name, each in network.named_parameters()}, args)
