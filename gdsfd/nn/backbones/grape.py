"""grape: message passing between patients and features, with an edge per measured value."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor, nn

from gdsfd.graph.edge_layout import EdgeLayout
from gdsfd.graph.grid_layout import Layout
from gdsfd.nn.backbones.card import Card
from gdsfd.nn.backbones.muse import MuseBackbone
from gdsfd.nn.backbones.registry import register_backbone
from gdsfd.nn.embeddings import Embeddings
from gdsfd.nn.encoders.cells import CellLayout
from gdsfd.setting_checks import Number, Whole

__all__ = ["GrapeBackbone"]


@register_backbone("grape")
class GrapeBackbone(MuseBackbone):
    """Bipartite message passing on the feature-level graph.

    The layers and the stored states are those of :class:`MuseBackbone`, with a node per feature (column, item, level,
    code, vector) of all modalities where that has a node per modality. Feature nodes are learned embeddings, so that a
    new patient is scored with the features' states of training.

    Args:
        channels: Width d.
        num_modalities: Number of feature nodes.
        dropout: Dropout probability on the patient vectors between layers.
        layers: Number of message-passing layers.
        edge_drop: Probability of hiding a measured value in training.
        imputation: Weight of the loss of predicting the hidden values (the first value of each, in standard deviations)
            from the patient's embedding and the feature's; 0 leaves it out.

    Shapes:
        - tokens: [E, d]; pooled: [B, d]

    References:
        GRAPE (You et al., NeurIPS 2020) for the graph, the messages and the imputation as edge prediction. Learned
        feature nodes (GRAPE: one-hot), fitted states and everything about kinds of modality are ours.
    """

    card = Card("You et al., NeurIPS 2020", "code", "no edge, so no message", "one-hot feature nodes", bank=True)
    level = "cell"
    takes_grid = False

    def __init__(
        self,
        channels: int,
        num_modalities: int,
        dropout: float = 0.25,
        layers: Annotated[int, Whole(1, 16)] = 2,
        edge_drop: Annotated[float, Number(0, 1, below=True)] = 0.15,
        imputation: Annotated[float, Number(0, 1000)] = 0.0,
    ) -> None:
        super().__init__(channels, num_modalities, dropout, layers, edge_drop=0.0)
        self.cell_drop = edge_drop
        self.imputation = imputation
        self.imputer = nn.Linear(channels, channels) if imputation else None
        self.mean_value = nn.Parameter(torch.zeros(num_modalities)) if imputation else None

    def forward(
        self, tokens: Tensor, layout: Layout, y: Tensor | None = None, mask: Tensor | None = None
    ) -> Embeddings:
        """Embeds a batch of patients; see :class:`Backbone`, and :class:`MuseBackbone` for ``mask``."""
        assert isinstance(layout, EdgeLayout)
        seen, kept_layout, kept = tokens, layout, None
        if self.training and self.cell_drop:
            kept = torch.rand(layout.num_edges, device=tokens.device) >= self.cell_drop
            rows = kept.nonzero().squeeze(1)
            seen, kept_layout = tokens.index_select(0, rows), layout.take(rows)
            mask = None if mask is None else mask.index_select(0, rows)
        pooled = super().forward(seen, kept_layout, y, mask).pooled
        loss = None if kept is None else self._imputation_loss(pooled, layout, ~kept)
        return Embeddings(pooled, tokens, layout.presence, loss)

    def why_not_shared(self) -> str:
        """The imputation loss is a mean over the hidden values of a batch."""
        return "the imputation loss is a mean over a batch" if self.imputation else super().why_not_shared()

    def _imputation_loss(self, pooled: Tensor, layout: EdgeLayout, hidden: Tensor) -> Tensor | None:
        """Mean squared error over the hidden values that are numbers, times its weight; None when it is left out."""
        if self.imputer is None or self.mean_value is None or not isinstance(layout, CellLayout):
            return None
        hidden = hidden & ~torch.isnan(layout.value)
        patient, node = layout.patient[hidden], layout.modality[hidden]
        product = self.imputer(pooled).index_select(0, patient) * self.modality_start.index_select(0, node)
        error = product.sum(-1) + self.mean_value.index_select(0, node) - layout.value[hidden]
        return self.imputation * error.square().sum() / max(error.numel(), 1)
