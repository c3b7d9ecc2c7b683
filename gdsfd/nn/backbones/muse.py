"""muse: message passing between patients and modalities, with a fitted memory of the modalities."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor, nn

from gdsfd.graph.edge_layout import EdgeLayout
from gdsfd.graph.grid_layout import GridLayout, Layout
from gdsfd.nn.backbones.backbone import Backbone, TokenBatches
from gdsfd.nn.backbones.card import Card
from gdsfd.nn.backbones.contrast import contrastive_loss, unit_tanh
from gdsfd.nn.backbones.registry import register_backbone
from gdsfd.nn.conv import EdgeSAGEConv
from gdsfd.nn.embeddings import Embeddings
from gdsfd.ops import dropout, mask_total
from gdsfd.ops.over_ranks import sum_over_ranks
from gdsfd.setting_checks import Number, Whole

__all__ = ["MuseBackbone"]


@register_backbone("muse")
class MuseBackbone(Backbone):
    """Bipartite message passing with edge features, repaired so that one patient can be scored alone.

    Patients start from one common vector, modalities from a learned table. Other patients reach a patient only through
    the K modality vectors of each layer. In training these are worked out from the batch; for inference they are
    fitted once on training patients (:meth:`fit_memory`) and read from buffers, so that a score does not depend on
    who else is in the batch.

    Args:
        channels: Width d.
        num_modalities: Number of modalities K.
        dropout: Dropout probability on the patient vectors between layers.
        layers: Number of message-passing layers.
        edge_drop: Probability of hiding an observation in training (in the second view too when ``contrastive``).
        contrastive: Weight of the contrastive losses between the full and an edge-dropped view; 0 leaves them out.
        temperature: Temperature of the contrastive losses.

    Shapes:
        - tokens: [E, d]; pooled: [B, d]

    References:
        MUSE (Wu et al., ICLR 2024) for the graph, the messages and the contrastive losses. The stored modality states,
        the vectorised edge dropping and the handling of unlabelled rows are ours.
    """

    card = Card("Wu et al., ICLR 2024", "code", "no edge, so no message", "evaluation on the batch's graph", bank=True)
    takes_mask = True
    takes_grid = True
    shares_batches = True
    states: Tensor

    def __init__(
        self,
        channels: int,
        num_modalities: int,
        dropout: float = 0.25,
        layers: Annotated[int, Whole(1, 16)] = 2,
        edge_drop: Annotated[float, Number(0, 1, below=True)] = 0.15,
        contrastive: Annotated[float, Number(0, 1000)] = 0.0,
        temperature: Annotated[float, Number(0, 1000, above=True)] = 0.07,
    ) -> None:
        super().__init__(channels, num_modalities, dropout)
        self.edge_drop = edge_drop
        self.contrastive = contrastive
        self.temperature = temperature
        self.patient_start = nn.Parameter(torch.ones(channels))
        self.modality_start = nn.Parameter(torch.randn(num_modalities, channels) / channels**0.5)
        self.layers = nn.ModuleList(EdgeSAGEConv(channels, update_edges=layer < layers - 1) for layer in range(layers))
        self.projection = nn.Linear(channels, channels) if contrastive else None
        self.register_buffer("states", torch.zeros(max(layers - 1, 0), num_modalities, channels))

    def forward(
        self, tokens: Tensor, layout: Layout, y: Tensor | None = None, mask: Tensor | None = None
    ) -> Embeddings:
        """Embeds a batch of patients; see :class:`Backbone`.

        With a mask every message counts by its edge's mask, in both directions; the edge updates are not masked.
        """
        if not self.training:
            return Embeddings(self._propagate(tokens, layout, mask), tokens, layout.presence)
        shown, kept = layout.hide(self.edge_drop) if self.edge_drop else (layout, None)
        if self.projection is None or y is None:
            pooled = self._propagate(_taken(tokens, kept), shown, None if mask is None else _taken(mask, kept))
            return Embeddings(pooled, tokens, layout.presence)
        if isinstance(layout, GridLayout):
            both = torch.cat([self._propagate(tokens, view, mask) for view in (layout, shown)])
        else:
            both = self._both(tokens, layout, mask, kept)
        pooled = both[: layout.num_patients]
        first, second = unit_tanh(self.projection(both)).chunk(2)
        loss = self.contrastive * contrastive_loss(first, second, y, self.temperature)
        return Embeddings(pooled, tokens, layout.presence, loss)

    def why_not_shared(self) -> str:
        """Contrastive losses compare every patient of a batch with every other."""
        return (
            "the contrastive losses compare all patients of a batch" if self.contrastive else super().why_not_shared()
        )

    def _both(self, tokens: Tensor, layout: EdgeLayout, mask: Tensor | None, kept: Tensor | None) -> Tensor:
        """Two views of the same patients in one pass: the second's patients and modalities stand behind the first's.

        On a batch of some hundred patients a pass costs what its calls cost, not its arithmetic. What both views make
        of a token before they know of other patients is worked out once.
        """
        every = torch.arange(layout.num_edges, device=tokens.device)
        fewer, kept = (layout, every) if kept is None else (layout.take(kept), kept)
        ends = [fewer.patient + layout.num_patients, fewer.modality + self.num_modalities]
        joined = EdgeLayout(
            torch.cat([layout.patient, ends[0]]),
            torch.cat([layout.modality, ends[1]]),
            torch.cat([layout.modality_ptr, fewer.modality_ptr[1:] + layout.num_edges]),
            2 * layout.num_patients,
            2 * self.num_modalities,
        )
        take = torch.cat([every, kept])
        return self._propagate(tokens, joined, None if mask is None else mask[take], take=take)

    def _propagate(
        self,
        edge: Tensor,
        layout: Layout,
        mask: Tensor | None,
        until: int | None = None,
        take: Tensor | None = None,
    ) -> Tensor:
        """Patient vectors after the last layer; with ``until``, the message sums into layer ``until``'s modalities.

        With ``take``, int64 [edges of the layout], the edges' tokens are those rows of ``edge`` (training only).
        """
        patient = self.patient_start.unsqueeze(0)  # one row for all, mapped once
        modality: Tensor = self.modality_start
        if layout.num_modalities > self.num_modalities:  # several views side by side
            modality = modality.repeat(layout.num_modalities // self.num_modalities, 1)
        last = len(self.layers) - 1
        first = self.layers[0]
        assert isinstance(first, EdgeSAGEConv)
        norm = first.norm(edge, layout, mask) if until != 0 else None  # the same in every layer
        for number, layer in enumerate(self.layers):
            assert isinstance(layer, EdgeSAGEConv)
            if number == until:
                return layer.to_modalities(patient, edge, layout, mask)
            assert norm is not None
            if number < last and self.training:
                updated, modality, edge = layer(patient, modality, edge, layout, mask, take=take, norm=norm)
                take = None  # the new edges are each its own
            else:
                updated = layer.new_patients(patient, modality, edge, layout, mask, norm, take)
                if number < last:
                    modality = self.states[number]
                    edge = layer.update_edge(edge, updated, modality, layout)
            patient = dropout(updated, self.dropout, self.training) if number < last else updated
        return patient

    @torch.no_grad()
    def fit_memory(self, batches: TokenBatches) -> None:
        """Fits each layer's modality vectors on training patients, layer after layer."""
        modality: Tensor = self.modality_start
        for number, layer in enumerate(self.layers[:-1]):
            assert isinstance(layer, EdgeSAGEConv)
            total = torch.zeros_like(self.modality_start)
            norm = total.new_zeros(self.num_modalities, 1)
            for tokens, layout, *rest in batches():
                mask = rest[0] if rest else None
                total += self._propagate(tokens, layout, mask, until=number)
                norm = norm + mask_total(mask, layout.edges, "right")
            total, norm = sum_over_ranks(total, norm)
            modality = layer.update(modality, total, norm)
            self.states[number] = modality


def _taken(rows: Tensor, kept: Tensor | None) -> Tensor:
    return rows if kept is None else rows.index_select(0, kept)
