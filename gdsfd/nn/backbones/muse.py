"""Message passing between patients and modalities, with stored modality states."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gdsfd.graph.layout import EdgeLayout
from gdsfd.nn.backbones.backbone import Backbone, TokenBatches
from gdsfd.nn.backbones.contrast import contrastive_loss
from gdsfd.nn.conv import EdgeSAGEConv
from gdsfd.nn.embeddings import Embeddings
from gdsfd.ops import mask_total

__all__ = ["MuseBackbone"]

#: Tokens [E, d], their layout and their masks: a batch, or what is left of it when observations are hidden.
View = tuple[Tensor, EdgeLayout, Tensor | None]


class MuseBackbone(Backbone):
    """Bipartite message passing with edge features, repaired so that one patient can be scored alone.

    Patients start from one common vector, modalities from a learned table. Other patients reach a patient only through
    the K modality vectors of each layer. In training these are worked out from the batch; for inference they are
    fitted once on training patients (:meth:`fit_states`) and read from buffers, so that a score does not depend on
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

    takes_mask = True
    states: Tensor

    def __init__(
        self,
        channels: int,
        num_modalities: int,
        dropout: float = 0.25,
        layers: int = 2,
        edge_drop: float = 0.15,
        contrastive: float = 0.0,
        temperature: float = 0.07,
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
        self, tokens: Tensor, layout: EdgeLayout, y: Tensor | None = None, mask: Tensor | None = None
    ) -> Embeddings:
        """Embeds a batch of patients; see :class:`Backbone`.

        With a mask every message counts by its edge's mask, in both directions; the edge updates are not masked.
        """
        if not self.training:
            return Embeddings(self._propagate(tokens, layout, mask), tokens, layout.presence)
        dropped = self._drop(tokens, layout, mask)
        if self.projection is None or y is None:
            return Embeddings(self._propagate(*dropped), tokens, layout.presence)
        pooled, view = self._both((tokens, layout, mask), dropped)
        first, second = (F.normalize(torch.tanh(self.projection(vectors)), dim=-1) for vectors in (pooled, view))
        loss = self.contrastive * contrastive_loss(first, second, y, self.temperature)
        return Embeddings(pooled, tokens, layout.presence, loss)

    def _both(self, full: View, dropped: View) -> tuple[Tensor, Tensor]:
        """Two views of the same patients in one pass: the second's patients and modalities stand behind the first's.

        On a batch of some hundred patients a pass costs what its calls cost, not its arithmetic.
        """
        (tokens, layout, mask), (fewer, kept, fewer_mask) = full, dropped
        ends = [kept.patient + layout.num_patients, kept.modality + self.num_modalities]
        joined = EdgeLayout(
            torch.cat([layout.patient, ends[0]]),
            torch.cat([layout.modality, ends[1]]),
            torch.cat([layout.modality_ptr, kept.modality_ptr[1:] + layout.num_edges]),
            2 * layout.num_patients,
            2 * self.num_modalities,
        )
        masks = None if mask is None or fewer_mask is None else torch.cat([mask, fewer_mask])
        first, second = self._propagate(torch.cat([tokens, fewer]), joined, masks).chunk(2)
        return first, second

    def _drop(self, tokens: Tensor, layout: EdgeLayout, mask: Tensor | None) -> View:
        """Hides each observation with probability ``edge_drop``, all patients at once."""
        if not self.edge_drop:
            return tokens, layout, mask
        kept = torch.rand(layout.num_edges, device=tokens.device) >= self.edge_drop
        return tokens[kept], layout.keep(kept), None if mask is None else mask[kept]

    def _propagate(self, edge: Tensor, layout: EdgeLayout, mask: Tensor | None, until: int | None = None) -> Tensor:
        """Patient vectors after the last layer; with ``until``, the message sums into layer ``until``'s modalities."""
        patient = self.patient_start.unsqueeze(0)  # one row for all, mapped once
        modality: Tensor = self.modality_start
        if layout.num_modalities > self.num_modalities:  # several views side by side
            modality = modality.repeat(layout.num_modalities // self.num_modalities, 1)
        last = len(self.layers) - 1
        for number, layer in enumerate(self.layers):
            assert isinstance(layer, EdgeSAGEConv)
            if number == until:
                return layer.to_modalities(patient, edge, layout, mask)
            if number < last and self.training:
                updated, modality, edge = layer(patient, modality, edge, layout, mask)
            else:
                norm = mask_total(mask, layout.edges, "left")
                updated = layer.update(patient, layer.to_patients(modality, edge, layout, mask), norm)
                if number < last:
                    modality = self.states[number]
                    edge = layer.update_edge(edge, updated, modality, layout)
            patient = F.dropout(updated, self.dropout, self.training) if number < last else updated
        return patient

    @torch.no_grad()
    def fit_states(self, batches: TokenBatches) -> None:
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
            modality = layer.update(modality, total, norm)
            self.states[number] = modality
