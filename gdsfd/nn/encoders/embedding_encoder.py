"""Encoder of precomputed vectors."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from gdsfd.cohort.schema import ModalityFields
from gdsfd.nn.encoders.cells import CellPlan, Cells
from gdsfd.nn.encoders.encoder import register_encoder
from gdsfd.nn.encoders.feature_encoder import FeatureEncoder

__all__ = ["EmbeddingEncoder"]


@register_encoder("embedding")
class EmbeddingEncoder(FeatureEncoder):
    """Standardises a vector by training statistics and projects it.

    Args:
        fields: The modality's fitted description (kind ``embedding``).
        out_channels: Width d of the token.
        dropout: Probability of zeroing a component, and of zeroing a hidden unit.

    Shapes:
        - observations: ``vector`` [E, width]
        - output: [E, d]
    """

    prepared = False  # the vectors are the features

    def __init__(self, fields: ModalityFields, out_channels: int, dropout: float = 0.25) -> None:
        super().__init__(fields, fields.width, out_channels, dropout)

    def features(self, observations: Mapping[str, Tensor]) -> Tensor:
        """The vector itself, [E, width]."""
        return observations["vector"]

    @property
    def cell_plan(self) -> CellPlan:
        """One node: the vector as a whole."""
        width = self.token.relevance.numel()
        return CellPlan(torch.arange(width).view(1, width), torch.empty(0, dtype=torch.long))

    def cells(self, observations: Mapping[str, Tensor]) -> Cells:
        """The vector of each observation."""
        vector = observations["vector"]
        rows = torch.arange(vector.size(0), device=vector.device)
        return Cells(rows, torch.zeros_like(rows), vector, rows.numel())
