"""The comparison for a training step: MUSE with contrastive views, the way the published code goes about it.

One graph of patients and modalities with every edge twice, once per direction; concatenated messages; views by a loop
over the patients of the batch. Encoders, contrastive loss, head and optimiser are the package's own and edges are
dropped with its probability, so that only what is compared differs. Kinder than the published code in two points:
missing modalities are not encoded, and the loop asks the device for less.
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch_geometric.data import HeteroData

from gdsfd.bench.plain_pyg import PlainConv, plain_conv
from gdsfd.graph.from_cohort import edge_type
from gdsfd.nn.backbones import MuseBackbone
from gdsfd.nn.backbones.contrast import contrastive_loss
from gdsfd.nn.conv import EdgeSAGEConv
from gdsfd.nn.losses import outcome_loss
from gdsfd.nn.predictor import Predictor

__all__ = ["PlainCohort", "PlainMuse", "StackedConv"]


class StackedConv(PlainConv):
    """:class:`~gdsfd.bench.plain_pyg.PlainConv` on one node table, patients first, with every edge in both directions.

    Shapes:
        - x: [B + K, d], edge_attr: [2 E, d], edge_index: [2, 2 E], the second half being the first turned around
    """

    def forward(self, x: Tensor, edge_attr: Tensor, edge_index: Tensor) -> Tensor:  # type: ignore[override]
        """New node vectors."""
        mean = self.propagate(edge_index, x=x, edge_attr=edge_attr)
        return torch.relu(self.update_linear(torch.cat([mean, x], dim=-1)))

    def update_edges(self, x: Tensor, edge_attr: Tensor, edge_index: Tensor) -> Tensor:
        """New edge vectors; in both copies the patient's end comes first."""
        assert self.edge_linear is not None
        there, back = edge_index.chunk(2, dim=1)
        patient, modality = torch.cat([there, back.flip(0)], dim=1)
        ends = torch.cat([x[patient], x[modality], edge_attr], dim=-1)
        return edge_attr + torch.relu(self.edge_linear(ends))


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
        self.channels = backbone.channels
        self.encoders = copy.deepcopy(predictor.encoders)
        self.out = copy.deepcopy(predictor.out)
        self.projection = copy.deepcopy(backbone.projection)
        self.patient_start = nn.Parameter(backbone.patient_start.detach().clone())
        self.modality_start = nn.Parameter(backbone.modality_start.detach().clone())
        layers = [layer for layer in backbone.layers if isinstance(layer, EdgeSAGEConv)]
        self.layers = nn.ModuleList(plain_conv(layer, StackedConv) for layer in layers)
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
        flag, y = cohort.present[rows], cohort.y[rows]
        x = self.patient_start.new_zeros(*flag.shape, self.channels)
        for number, encoder in enumerate(self.encoders):
            owner = flag[:, number].nonzero(as_tuple=True)[0]
            x[owner, number] = encoder({"vector": cohort.vectors[number][rows[owner]]})
        pooled, view = self.propagate(x, flag), self.propagate(x, self.drop(flag.clone()))
        total = outcome_loss(self.out(F.dropout(pooled, self.dropout, self.training)), y)
        assert self.projection is not None
        first, second = (F.normalize(torch.tanh(self.projection(each)), dim=-1) for each in (pooled, view))
        return total + self.contrastive * contrastive_loss(first, second, y, self.temperature)

    def drop(self, flag: Tensor) -> Tensor:
        """Hides observations in place, patient by patient; bool [B, K]."""
        for patient in range(flag.size(0)):
            present = flag[patient].nonzero(as_tuple=True)[0]
            if present.numel() == 0:
                continue
            dropped = present[torch.rand(present.numel(), device=flag.device) < self.edge_drop]
            flag[patient][dropped] = False
        return flag

    def propagate(self, x: Tensor, flag: Tensor) -> Tensor:
        """Patients after the last layer, [B, d].

        Args:
            x: Tokens, [B, K, d].
            flag: Which of them there are, bool [B, K].
        """
        patients = flag.size(0)
        nodes = torch.cat([self.patient_start.expand(patients, -1), self.modality_start])
        there = flag.nonzero().t()
        there = torch.stack([there[0], there[1] + patients])
        edge_index = torch.cat([there, there.flip(0)], dim=1)
        edge_attr = x[flag].repeat(2, 1)
        for number, layer in enumerate(self.layers):
            assert isinstance(layer, StackedConv)
            nodes = layer(nodes, edge_attr, edge_index)
            if number < len(self.layers) - 1:
                edge_attr = layer.update_edges(nodes, edge_attr, edge_index)
                hidden = F.dropout(nodes[:patients], self.dropout, self.training)
                nodes = torch.cat([hidden, nodes[patients:]])
        return nodes[:patients]
