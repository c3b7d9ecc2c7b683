"""An adjustment that averages over a normal distribution of the biased codes, by a few fixed draws."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor, nn

from gdsfd.nn.adjustment import Adjustment, register_adjustment
from gdsfd.setting_checks import Whole


@register_adjustment("moments")
class MomentAdjustment(Adjustment):
    """A linear head on a code and a biased code, averaged over the biased codes' mean and standard deviations."""

    mean: Tensor
    spread: Tensor
    noise: Tensor

    def __init__(
        self,
        channels: int,
        outputs: int,
        multiclass: bool = False,
        dropout: float = 0.0,
        draws: Annotated[int, Whole(1, 100)] = 4,
    ) -> None:
        super().__init__(channels, outputs, multiclass, dropout)
        self.of_code = nn.Linear(channels, outputs)
        self.of_bias = nn.Linear(channels, outputs, bias=False)
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("spread", torch.zeros(channels))
        self.register_buffer("noise", torch.randn(draws, channels))

    @torch.no_grad()
    def fit(self, source: Tensor, group: Tensor | None) -> None:
        """Takes the moments of the training patients' biased codes."""
        self.mean.copy_(source.mean(0))
        self.spread.copy_(source.std(0))

    def forward(self, code: Tensor) -> Tensor:
        """Mean logits over the draws."""
        drawn = self.mean + self.noise * self.spread
        return self.of_code(code) + self.of_bias(drawn).mean(0)

    def start_from(self, bias: Tensor) -> None:
        """Sets the head's bias."""
        with torch.no_grad():
            self.of_code.bias.copy_(bias)
