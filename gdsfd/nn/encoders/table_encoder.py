"""Encoder of one-row-per-patient tables."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from gdsfd.cohort.fields import LEVEL_MISSING, ModalityFields
from gdsfd.nn.encoders.numeric import NumericTransform

__all__ = ["TableEncoder"]


class TableEncoder(nn.Module):
    """Numeric columns with missing-value flags and categorical embeddings, through a small network.

    Args:
        fields: The modality's fitted description (kind ``table``).
        out_channels: Width d of the token.
        dropout: Probability of zeroing a hidden unit.

    Shapes:
        - observations: ``numeric`` [E, C] (NaN = not measured), ``categorical`` [E, D]
        - output: [E, d]
    """

    def __init__(self, fields: ModalityFields, out_channels: int, dropout: float = 0.25) -> None:
        super().__init__()
        self.transform = NumericTransform(fields.scales)
        sizes = [len(levels) + 2 for levels in fields.levels]
        offsets = torch.tensor([0, *sizes[:-1]] if sizes else [], dtype=torch.long).cumsum(0)
        self.register_buffer("offsets", offsets)
        self.numeric = nn.Linear(3 * len(fields.numeric), out_channels)
        self.categorical = nn.Embedding(max(sum(sizes), 1), out_channels)
        self.out = nn.Sequential(nn.GELU(), nn.Dropout(dropout), nn.Linear(out_channels, out_channels))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Small categorical embeddings, so that rare levels start near 0."""
        nn.init.normal_(self.categorical.weight, std=0.05)

    def forward(self, observations: Mapping[str, Tensor]) -> Tensor:
        """Encodes each observation into one token."""
        hidden = self.numeric(torch.cat(self.transform(observations["numeric"]), dim=-1))  # [E, d]
        levels = observations["categorical"]
        if levels.size(1):
            offsets: Tensor = self.get_buffer("offsets")
            measured = (levels != LEVEL_MISSING).unsqueeze(-1)
            hidden = hidden + (self.categorical(levels + offsets) * measured).sum(1)
        return self.out(hidden)
