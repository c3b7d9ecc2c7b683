"""A backbone: attention over a patient's tokens."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor, nn

from gdsfd.graph.edge_layout import EdgeLayout
from gdsfd.nn.backbones import Backbone, register_backbone
from gdsfd.nn.embeddings import Embeddings
from gdsfd.setting_checks import Number


@register_backbone("attention-pool")
class AttentionPool(Backbone):
    """A weighted mean of each patient's tokens; the weights come from a learned question."""

    def __init__(
        self,
        channels: int,
        num_modalities: int,
        dropout: float = 0.25,
        temperature: Annotated[float, Number(0, 10, above=True)] = 1.0,
    ) -> None:
        super().__init__(channels, num_modalities, dropout)
        self.temperature = temperature
        self.question = nn.Parameter(torch.randn(channels) / channels**0.5)
        self.nothing = nn.Parameter(torch.zeros(channels))

    def forward(self, tokens: Tensor, layout: EdgeLayout, y: Tensor | None = None) -> Embeddings:
        """Embeds a batch of patients."""
        weight = (tokens @ self.question / self.temperature).clamp(-10, 10).exp().unsqueeze(1)
        total = tokens.new_zeros(layout.num_patients, self.channels).index_add(0, layout.patient, weight * tokens)
        norm = tokens.new_zeros(layout.num_patients, 1).index_add(0, layout.patient, weight)
        return Embeddings(total / norm.clamp(min=1e-8) + self.nothing, tokens, layout.presence)
