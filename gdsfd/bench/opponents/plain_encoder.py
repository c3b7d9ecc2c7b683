"""The encoder in plain PyG: as somebody who knows PyG well would write it, without knowing this graph.

Two `propagate` calls per layer, one per direction, on one edge list: nothing is duplicated that need not be. What makes
it plain is that a message is worked out as the formula reads: gather, concatenate, one linear map, scatter.
"""

from __future__ import annotations

from typing import TypeVar

import torch
from torch import Tensor, nn
from torch_geometric.nn import MessagePassing

from gdsfd.graph.edge_layout import EdgeLayout
from gdsfd.nn.conv import EdgeSAGEConv

__all__ = ["PlainConv", "PlainEncoder", "plain_conv"]


class PlainConv(MessagePassing):
    r"""Edge messages in both directions and an edge update, equal to :class:`~gdsfd.nn.conv.EdgeSAGEConv`.

    .. math::
        m_i &= \operatorname{mean}_{k \in N(i)} \operatorname{ReLU}(W [h_k ; e_{ik}]), \quad
        h_i' = \operatorname{ReLU}(Q [m_i ; h_i]) \\
        e_{ik}' &= e_{ik} + \operatorname{ReLU}(U [h_i' ; h_k' ; e_{ik}])

    Args:
        channels: Width d of nodes and edges.
        update_edges: Whether edges are updated.
        aggr: How messages are reduced.

    Shapes:
        - patient: [N, d], modality: [K, d], edge_attr: [E, d], edge_index: [2, E] from patients to modalities
        - output: the first three
    """

    def __init__(self, channels: int, update_edges: bool = True, aggr: str = "mean") -> None:
        super().__init__(aggr=aggr)
        self.message_linear = nn.Linear(2 * channels, channels)
        self.update_linear = nn.Linear(2 * channels, channels)
        self.edge_linear = nn.Linear(3 * channels, channels) if update_edges else None

    def forward(
        self, patient: Tensor, modality: Tensor, edge_attr: Tensor, edge_index: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """New patients, modalities and edges."""
        size = (patient.size(0), modality.size(0))
        to_modality = self.propagate(edge_index, x=(patient, modality), edge_attr=edge_attr, size=size)
        to_patient = self.propagate(edge_index.flip(0), x=(modality, patient), edge_attr=edge_attr, size=size[::-1])
        patient = torch.relu(self.update_linear(torch.cat([to_patient, patient], dim=-1)))
        modality = torch.relu(self.update_linear(torch.cat([to_modality, modality], dim=-1)))
        if self.edge_linear is not None:
            both = torch.cat([patient[edge_index[0]], modality[edge_index[1]], edge_attr], dim=-1)
            edge_attr = edge_attr + torch.relu(self.edge_linear(both))
        return patient, modality, edge_attr

    def message(self, x_j: Tensor, edge_attr: Tensor) -> Tensor:
        """One message per edge, [E, d]."""
        return torch.relu(self.message_linear(torch.cat([x_j, edge_attr], dim=-1)))


Plain = TypeVar("Plain", bound=PlainConv)


def plain_conv(conv: EdgeSAGEConv, kind: type[Plain]) -> Plain:
    """A plain layer with a copy of another layer's weights: split linear maps side by side again."""
    plain = kind(conv.in_channels, conv.edge_edge is not None).to(conv.message_node.weight)
    with torch.no_grad():
        plain.message_linear.weight.copy_(torch.cat([conv.message_node.weight, conv.message_edge.weight], dim=1))
        plain.message_linear.bias.copy_(conv.message_node.bias)
        plain.update_linear.weight.copy_(torch.cat([conv.update_message.weight, conv.update_node.weight], dim=1))
        plain.update_linear.bias.copy_(conv.update_message.bias)
        if plain.edge_linear is not None:
            assert conv.edge_patient is not None
            assert conv.edge_modality is not None
            assert conv.edge_edge is not None
            parts = [conv.edge_patient.weight, conv.edge_modality.weight, conv.edge_edge.weight]
            plain.edge_linear.weight.copy_(torch.cat(parts, dim=1))
            plain.edge_linear.bias.copy_(conv.edge_patient.bias)
    return plain


class PlainEncoder(nn.Module):
    """A stack of :class:`PlainConv` with the starting vectors of MUSE: constant patients, a table of modalities.

    Args:
        layers: The layers whose weights are copied.
        patient_start: Start of every patient, [d].
        modality_start: Start of each modality, [K, d].
    """

    def __init__(self, layers: list[EdgeSAGEConv], patient_start: Tensor, modality_start: Tensor) -> None:
        super().__init__()
        self.patient_start = nn.Parameter(patient_start.detach().clone())
        self.modality_start = nn.Parameter(modality_start.detach().clone())
        self.layers = nn.ModuleList(plain_conv(layer, PlainConv) for layer in layers)

    def forward(self, edge_attr: Tensor, edge_index: Tensor, num_patients: int) -> tuple[Tensor, Tensor]:
        """Patients [N, d] and modalities [K, d] after the last layer."""
        patient = self.patient_start.expand(num_patients, -1)
        modality: Tensor = self.modality_start
        for layer in self.layers:
            patient, modality, edge_attr = layer(patient, modality, edge_attr, edge_index)
        return patient, modality

    @staticmethod
    def edge_index(layout: EdgeLayout) -> Tensor:
        """PyG's edge list of a layout, int64 [2, E]."""
        return torch.stack([layout.patient, layout.modality])
