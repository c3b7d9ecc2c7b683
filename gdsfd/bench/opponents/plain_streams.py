"""A training step of two streams in plain PyG, composed from its parts.

Mask generator and layers are ``MessagePassing`` on one edge list, messages are worked out as the formula reads: gather,
concatenate, one linear map, times the mask, scatter. Kind to the comparison in four points: no loop over patients, the
masks' sums once per stream instead of once per layer, nothing toward the modalities in the last layer, where nobody
reads it, and missing modalities are not encoded.
"""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch_geometric.nn import MessagePassing
from torch_geometric.utils import scatter

from gdsfd.bench.opponents.plain_encoder import PlainConv, plain_conv
from gdsfd.bench.opponents.plain_muse import PlainCohort
from gdsfd.nn.backbones import MuseBackbone
from gdsfd.nn.conv import EdgeSAGEConv
from gdsfd.nn.embeddings import Embeddings
from gdsfd.nn.stream_predictor import StreamPrediction, StreamPredictor
from gdsfd.nn.streams import MaskGenerator

__all__ = ["MaskedConv", "PlainMasker", "PlainStream", "PlainStreams"]


class MaskedConv(PlainConv):
    r"""Messages counted by a mask, in both directions, and an edge update.

    .. math:: m_i = \sum_{k \in N(i)} a_{ik} \odot \operatorname{ReLU}(W [h_k ; e_{ik}])
        \oslash \sum_{k \in N(i)} a_{ik}

    and on as in :class:`~gdsfd.bench.opponents.plain_encoder.PlainConv`.

    Shapes:
        - patient: [B, d], modality: [K, d], edge_attr and mask: [E, d], edge_index: [2, E] from patients to modalities
        - norm: the masks' sums at patients [B, d] and at modalities [K, d]
        - output: the first three
    """

    def __init__(self, channels: int, update_edges: bool = True) -> None:
        super().__init__(channels, update_edges, aggr="sum")

    def forward(  # type: ignore[override]
        self,
        patient: Tensor,
        modality: Tensor,
        edge_attr: Tensor,
        edge_index: Tensor,
        mask: Tensor,
        norm: tuple[Tensor, Tensor],
    ) -> tuple[Tensor, Tensor, Tensor]:
        """New patients, modalities and edges; a layer that updates no edges leaves the modalities as they are too."""
        size = (patient.size(0), modality.size(0))
        back = edge_index.flip(0)
        total = self.propagate(back, x=(modality, patient), edge_attr=edge_attr, mask=mask, size=size[::-1])
        new_patient = torch.relu(self.update_linear(torch.cat([total / norm[0], patient], dim=-1)))
        if self.edge_linear is None:
            return new_patient, modality, edge_attr
        total = self.propagate(edge_index, x=(patient, modality), edge_attr=edge_attr, mask=mask, size=size)
        new_modality = torch.relu(self.update_linear(torch.cat([total / norm[1], modality], dim=-1)))
        both = torch.cat([new_patient[edge_index[0]], new_modality[edge_index[1]], edge_attr], dim=-1)
        return new_patient, new_modality, edge_attr + torch.relu(self.edge_linear(both))

    def message(self, x_j: Tensor, edge_attr: Tensor, mask: Tensor) -> Tensor:  # type: ignore[override]
        """One message per edge, [E, d]."""
        return mask * torch.relu(self.message_linear(torch.cat([x_j, edge_attr], dim=-1)))


class PlainMasker(MessagePassing):
    """What :class:`~gdsfd.nn.streams.MaskGenerator` computes at the level of features, with a copy of its weights.

    Shapes:
        - edge_attr: [E, d], edge_index: [2, E]; output: [E, d]
    """

    def __init__(self, masker: MaskGenerator) -> None:
        super().__init__(aggr="mean")
        self.inner = copy.deepcopy(masker.inner)
        self.modality = nn.Parameter(masker.modality.detach().clone())
        self.feature = copy.deepcopy(masker.feature)

    def forward(self, edge_attr: Tensor, edge_index: Tensor, num_patients: int) -> Tensor:
        """The causal stream's share of every channel of every edge."""
        assert self.feature is not None
        patient, modality = edge_index
        hidden = torch.relu(self.inner(edge_attr) + self.modality[modality])
        mean = self.propagate(edge_index.flip(0), hidden=hidden, size=(self.modality.size(0), num_patients))
        return torch.sigmoid(self.feature(hidden + mean[patient]))

    def message(self, hidden: Tensor) -> Tensor:
        """What an edge tells its patient, [E, hidden]."""
        return hidden


class PlainStream(nn.Module):
    """One stream: a stack of :class:`MaskedConv` with a copy of a backbone's weights.

    Args:
        backbone: The backbone ``muse`` of that stream.
    """

    def __init__(self, backbone: MuseBackbone) -> None:
        super().__init__()
        self.patient_start = nn.Parameter(backbone.patient_start.detach().clone())
        self.modality_start = nn.Parameter(backbone.modality_start.detach().clone())
        layers = [layer for layer in backbone.layers if isinstance(layer, EdgeSAGEConv)]
        self.layers = nn.ModuleList(plain_conv(layer, MaskedConv) for layer in layers)
        self.dropout = backbone.dropout
        self.edge_drop = backbone.edge_drop

    def forward(self, edge_attr: Tensor, edge_index: Tensor, mask: Tensor, num_patients: int) -> Tensor:
        """Patients after the last layer, [B, d]."""
        if self.edge_drop:
            kept = torch.rand(mask.size(0), device=mask.device) >= self.edge_drop
            edge_attr, edge_index, mask = edge_attr[kept], edge_index[:, kept], mask[kept]
        patient = self.patient_start.expand(num_patients, -1)
        modality: Tensor = self.modality_start
        sums = [
            scatter(mask, ends, dim=0, dim_size=nodes.size(0), reduce="sum")
            for ends, nodes in zip(edge_index, (patient, modality))
        ]
        norm = [total.masked_fill(total == 0, 1) for total in sums]  # without edges a sum of messages is 0 anyway
        for number, layer in enumerate(self.layers):
            patient, modality, edge_attr = layer(patient, modality, edge_attr, edge_index, mask, norm)
            if number < len(self.layers) - 1:
                patient = F.dropout(patient, self.dropout, self.training)
        return patient


class PlainStreams(nn.Module):
    """Encoders, mask generator, two streams and their heads, with a copy of a predictor's weights.

    Args:
        predictor: With the backbone ``muse``, masks of features, and heads that read their own code only.
    """

    def __init__(self, predictor: StreamPredictor) -> None:
        super().__init__()
        streams = predictor.streams
        assert isinstance(streams.backbone, MuseBackbone)
        assert isinstance(streams.biased, MuseBackbone)
        assert isinstance(streams.masker, MaskGenerator)
        self.encoders = copy.deepcopy(predictor.encoders)
        self.masker = PlainMasker(streams.masker)
        self.causal = PlainStream(streams.backbone)
        self.biased = PlainStream(streams.biased)
        self.out = copy.deepcopy(predictor.out)
        self.biased_out = copy.deepcopy(predictor.biased_out)
        self.dropout = streams.backbone.dropout

    def forward(self, cohort: PlainCohort, rows: Tensor) -> StreamPrediction:
        """Scores a batch of patients by both heads.

        Args:
            cohort: All patients.
            rows: Those of the batch.
        """
        flag = cohort.present[rows]
        tokens, ends = [], []
        for number, encoder in enumerate(self.encoders):
            owner = flag[:, number].nonzero(as_tuple=True)[0]
            tokens.append(encoder({"vector": cohort.vectors[number][rows[owner]]}))
            ends.append(torch.stack([owner, torch.full_like(owner, number)]))
        edge_attr, edge_index = torch.cat(tokens), torch.cat(ends, dim=1)
        mask = self.masker(edge_attr, edge_index, rows.numel())
        causal = self.causal(edge_attr, edge_index, mask, rows.numel())
        biased = self.biased(edge_attr, edge_index, 1 - mask, rows.numel())
        logits = self.out(F.dropout(causal, self.dropout, self.training))
        biased_logits = self.biased_out(F.dropout(biased, self.dropout, self.training))
        return StreamPrediction(logits, Embeddings(causal, edge_attr, flag), biased_logits, causal, biased, mask)
