"""concat: the control, a feed-forward network on concatenated tokens and presence flags."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor, nn

from gdsfd.graph.grid_layout import Layout
from gdsfd.nn.backbones.backbone import Backbone
from gdsfd.nn.backbones.card import Card
from gdsfd.nn.backbones.registry import register_backbone
from gdsfd.nn.embeddings import Embeddings
from gdsfd.setting_checks import Number

__all__ = ["ConcatBackbone"]


@register_backbone("concat")
class ConcatBackbone(Backbone):
    """All K tokens side by side, zeros and a flag where a modality is missing, through a small network.

    Args:
        channels: Width d.
        num_modalities: Number of modalities K.
        dropout: Dropout probability.
        edge_drop: Probability of hiding an observation in training.

    Shapes:
        - tokens: [E, d]; pooled: [B, d]
    """

    card = Card("ours (the control)", "ours", "zeros and a flag")
    takes_grid = True
    shares_batches = True

    def __init__(
        self,
        channels: int,
        num_modalities: int,
        dropout: float = 0.25,
        edge_drop: Annotated[float, Number(0, 1, below=True)] = 0.15,
    ) -> None:
        super().__init__(channels, num_modalities, dropout)
        self.edge_drop = edge_drop
        self.network = nn.Sequential(
            nn.Linear(num_modalities * (channels + 1), channels),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(channels, channels),
            nn.GELU(),
        )

    def forward(self, tokens: Tensor, layout: Layout, y: Tensor | None = None) -> Embeddings:
        """Embeds a batch of patients; see :class:`Backbone`."""
        shown, kept = layout.hide(self.edge_drop) if self.training and self.edge_drop else (layout, None)
        seen = tokens if kept is None else tokens.index_select(0, kept)
        flags = shown.presence.to(seen.dtype)
        pooled = self.network(torch.cat([shown.flat_tokens(seen).flatten(1), flags], dim=1))
        return Embeddings(pooled, tokens, layout.presence)
