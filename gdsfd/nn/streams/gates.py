"""Complementary gates on one vector per patient, for backbones that have nothing finer."""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["PooledGates"]


class PooledGates(nn.Module):
    r"""Complementary gates on a pooled vector, each followed by a small network of its own.

    .. math:: g = \sigma(G E), \quad z_c = f_c(2 g \odot E), \quad z_b = f_b(2 (1 - g) \odot E)

    Gates start at 1/2. Our formulation.

    Args:
        channels: Width d.
        dropout: Dropout probability.

    Shapes:
        - input: [B, d]; output: causal [B, d], biased [B, d], gate [B, d]
    """

    def __init__(self, channels: int, dropout: float = 0.25) -> None:
        super().__init__()
        self.gate = nn.Linear(channels, channels)
        nn.init.zeros_(self.gate.weight)
        nn.init.zeros_(self.gate.bias)
        self.causal, self.biased = (
            nn.Sequential(nn.Linear(channels, channels), nn.GELU(), nn.Dropout(dropout), nn.Linear(channels, channels))
            for _ in range(2)
        )

    def forward(self, pooled: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Both codes and the gate."""
        gate = torch.sigmoid(self.gate(pooled))
        return self.causal(2 * gate * pooled), self.biased(2 * (1 - gate) * pooled), gate
