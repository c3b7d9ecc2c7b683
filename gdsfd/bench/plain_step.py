"""The comparison for a training step: MUSE with contrastive views, as the published code goes about it.

Message passing by :class:`~gdsfd.bench.plain_pyg.PlainConv`, views by a loop over the patients of the batch. Encoders,
contrastive loss, head and optimiser are the package's own, so that only what is compared differs.
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch_geometric.data import HeteroData

from gdsfd.bench.plain_pyg import plain_conv
from gdsfd.graph.from_cohort import edge_type
from gdsfd.nn.backbones import MuseBackbone
from gdsfd.nn.backbones.contrast import contrastive_loss
from gdsfd.nn.conv import EdgeSAGEConv
from gdsfd.nn.losses import outcome_loss
from gdsfd.nn.predictor import Predictor

__all__ = ["PlainCohort", "PlainMuse"]


class PlainCohort:
    """A cohort as tensors of one row per patient, with a flag where a modality is there.

    Args:
        graph: Its modalities are of kind ``embedding``.
    """

    def __init__(self, graph: HeteroData) -> None:
        patients = int(graph["patient"].num_nodes)
        self.y: Tensor = graph["patient"].y
        self.vectors: list[Tensor] = []
        self.present = torch.zeros(patients, len(graph.schema.names), dtype=torch.bool, device=self.y.device)
        for number, name in enumerate(graph.schema.names):
            store = graph[edge_type(name)]
            owner = store.edge_index[0]
            vectors = store.vector.new_zeros(patients, store.vector.size(1))
            vectors[owner] = store.vector
            self.vectors.append(vectors)
            self.present[owner, number] = True


class PlainMuse(nn.Module):
    """Encoders, two views, contrastive loss and head, with a copy of a predictor's weights.

    Args:
        predictor: With the backbone ``muse``.
    """

    def __init__(self, predictor: Predictor) -> None:
        super().__init__()
        backbone = predictor.backbone
        assert isinstance(backbone, MuseBackbone)
        self.encoders = copy.deepcopy(predictor.encoders)
        self.out = copy.deepcopy(predictor.out)
        self.projection = copy.deepcopy(backbone.projection)
        self.patient_start = nn.Parameter(backbone.patient_start.detach().clone())
        self.modality_start = nn.Parameter(backbone.modality_start.detach().clone())
        self.layers = nn.ModuleList(plain_conv(layer) for layer in backbone.layers if isinstance(layer, EdgeSAGEConv))
        self.dropout = backbone.dropout
        self.edge_drop = backbone.edge_drop
        self.contrastive = backbone.contrastive
        self.temperature = backbone.temperature

    def loss(self, cohort: PlainCohort, rows: Tensor) -> Tensor:
        """Loss of a batch of patients, in nats.

        Args:
            cohort: All patients.
            rows: Those of the batch.
        """
        present, y = cohort.present[rows], cohort.y[rows]
        tokens, ends = [], []
        for number, encoder in enumerate(self.encoders):
            owner = present[:, number].nonzero().squeeze(1)
            tokens.append(encoder({"vector": cohort.vectors[number][rows[owner]]}))
            ends.append(torch.stack([owner, torch.full_like(owner, number)]))
        edge_attr, edge_index = torch.cat(tokens), torch.cat(ends, dim=1)
        pooled = self.propagate(edge_attr, edge_index, rows.numel())
        kept = self.drop(edge_index, rows.numel())
        view = self.propagate(edge_attr[kept], edge_index[:, kept], rows.numel())
        total = outcome_loss(self.out(F.dropout(pooled, self.dropout, self.training)), y)
        if self.projection is None:
            return total
        first, second = (F.normalize(torch.tanh(self.projection(each)), dim=-1) for each in (pooled, view))
        return total + self.contrastive * contrastive_loss(first, second, y, self.temperature)

    def drop(self, edge_index: Tensor, num_patients: int) -> Tensor:
        """Edges that a view keeps, patient by patient; int64."""
        kept = []
        for patient in range(num_patients):
            mine = (edge_index[0] == patient).nonzero().squeeze(1)
            kept.append(mine[torch.rand(mine.numel(), device=mine.device) >= self.edge_drop])
        return torch.cat(kept)

    def propagate(self, edge_attr: Tensor, edge_index: Tensor, num_patients: int) -> Tensor:
        """Patients after the last layer, [B, d]."""
        patient = self.patient_start.expand(num_patients, -1)
        modality: Tensor = self.modality_start
        for layer in self.layers[:-1]:
            patient, modality, edge_attr = layer(patient, modality, edge_attr, edge_index)
            patient = F.dropout(patient, self.dropout, self.training)
        last = self.layers[-1]
        updated: Tensor = last.to_patients(patient, modality, edge_attr, edge_index)  # type: ignore[operator]
        return updated
