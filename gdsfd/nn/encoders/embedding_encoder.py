"""Encoder of precomputed vectors."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from gdsfd.cohort.fields import ModalityFields

__all__ = ["EmbeddingEncoder"]


class EmbeddingEncoder(nn.Module):
    """Standardises a vector by training statistics and projects it.

    Args:
        fields: The modality's fitted description (kind ``embedding``).
        out_channels: Width d of the token.
        dropout: Probability of zeroing a component, and of zeroing a hidden unit.

    Shapes:
        - observations: ``vector`` [E, width]
        - output: [E, d]
    """

    def __init__(self, fields: ModalityFields, out_channels: int, dropout: float = 0.25) -> None:
        super().__init__()
        mean = torch.tensor([scale.mean for scale in fields.scales])
        std = torch.tensor([scale.std for scale in fields.scales])
        self.register_buffer("mean", mean)
        self.register_buffer("std", torch.where(std > 0, std, torch.ones_like(std)))
        self.out = nn.Sequential(
            nn.Dropout(dropout),
            nn.Linear(fields.width, out_channels),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(out_channels, out_channels),
        )

    def forward(self, observations: Mapping[str, Tensor]) -> Tensor:
        """Encodes each observation into one token."""
        scaled = (observations["vector"] - self.get_buffer("mean")) / self.get_buffer("std")
        return self.out(scaled.clamp(-10, 10))
