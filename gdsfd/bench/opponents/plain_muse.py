"""A training step of MUSE with contrastive views in plain PyG, the way the published code goes about it.

One graph of patients and modalities with every edge twice, once per direction; concatenated messages; views by a loop
over the patients of the batch. Encoders, head and optimiser are the package's own and edges are dropped with its
probability, so that only what is compared differs. Kinder than the published code in two points: missing modalities are
not encoded, and the loop does less for each patient (:class:`PublishedMuse` does as much).
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch_geometric.data import HeteroData

from gdsfd.bench.opponents.plain_encoder import PlainConv, plain_conv
from gdsfd.graph.from_cohort import edge_type
from gdsfd.nn.backbones import MuseBackbone
from gdsfd.nn.conv import EdgeSAGEConv
from gdsfd.nn.losses import outcome_loss
from gdsfd.nn.predictor import Predictor

__all__ = ["PlainCohort", "PlainMuse", "PublishedMuse", "StackedConv", "plain_contrastive_loss"]


class StackedConv(PlainConv):
    """The layer on one node table, patients first, with every edge in both directions.

    Otherwise as :class:`~gdsfd.bench.opponents.plain_encoder.PlainConv`.

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


def plain_contrastive_loss(first: Tensor, second: Tensor, y: Tensor, temperature: float) -> Tensor:
    """What ``gdsfd.nn.backbones.contrast`` computes, term by term as the formula reads; in nats.

    Args:
        first: Unit vectors of the full view, [B, d].
        second: Unit vectors of the other view, [B, d].
        y: Labels, float [B, 1], all known.
        temperature: Divides the cosines.
    """
    cosine = first @ second.t() / temperature
    target = torch.arange(first.size(0), device=first.device)
    unsupervised = (F.cross_entropy(cosine, target) + F.cross_entropy(cosine.t(), target)) / 2
    same = (y == y.t()).to(first.dtype)
    other = 1 - torch.eye(first.size(0), dtype=first.dtype, device=first.device)
    alike = first @ first.t() / temperature
    within = F.binary_cross_entropy_with_logits(alike, same, weight=other, reduction="sum")
    across = F.binary_cross_entropy_with_logits(cosine, same, weight=other, reduction="sum")
    return (unsupervised + (within + across) / (2 * other.sum())) / 2


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
        return total + self.contrastive * plain_contrastive_loss(first, second, y, self.temperature)

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


class PublishedMuse(PlainMuse):
    """The same with views by the published rule, which takes a longer loop.

    Half of the patients are left as they are; each of the others keeps a random number of its observations, at least
    one and fewer than all.

    References:
        MUSE (Wu et al., ICLR 2024), the edge dropping of its public code; the paper's text has 15 % of the edges.
    """

    def drop(self, flag: Tensor) -> Tensor:
        """Hides observations in place, patient by patient; bool [B, K]."""
        if not self.edge_drop:
            return flag
        for patient in range(flag.size(0)):
            count = int(flag[patient].sum())
            if torch.rand(1) < 0.5 or count <= 1:
                continue
            keep = int(torch.randint(1, count, (1,)))
            present = flag[patient].nonzero(as_tuple=True)[0]
            shuffled = present[torch.randperm(count, device=flag.device)]
            flag[patient][shuffled[keep:]] = False
        return flag
