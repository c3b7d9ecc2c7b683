"""Mean aggregation of edge messages, in both directions of the bipartite graph."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gdsfd.graph.layout import EdgeLayout
from gdsfd.ops import segment_mean

__all__ = ["EdgeSAGEConv"]


class EdgeSAGEConv(nn.Module):
    r"""Node and edge update with edge features on the patient-modality graph.

    With patients :math:`i`, modalities :math:`k`, edges :math:`(i, k)` with features :math:`e_{ik}`:

    .. math::
        m_i &= \operatorname{mean}_{k \in N(i)} \operatorname{ReLU}(W [h_k ; e_{ik}]), \quad
        h_i' = \operatorname{ReLU}(Q [m_i ; h_i]) \\
        e_{ik}' &= e_{ik} + \operatorname{ReLU}(U [h_i' ; h_k' ; e_{ik}])

    and the same with patients and modalities exchanged. Every linear map of a concatenation is split: the node terms
    are worked out once per node, the edge term once per edge and shared by both directions.

    Args:
        channels: Width d of nodes and edges.
        update_edges: Whether edges are updated (the last layer does not need it).

    Shapes:
        - patient: [B, d], modality: [K, d], edge: [E, d]
        - output: the same three

    References:
        Message and update after GRAPE (NeurIPS 2020) and MUSE (ICLR 2024); the residual edge update and the split
        linear maps are ours.
    """

    def __init__(self, channels: int, update_edges: bool = True) -> None:
        super().__init__()
        self.channels = channels
        self.message_node = nn.Linear(channels, channels)
        self.message_edge = nn.Linear(channels, channels, bias=False)
        self.update_message = nn.Linear(channels, channels)
        self.update_node = nn.Linear(channels, channels, bias=False)
        self.edge_patient = nn.Linear(channels, channels) if update_edges else None
        self.edge_modality = nn.Linear(channels, channels, bias=False) if update_edges else None
        self.edge_edge = nn.Linear(channels, channels, bias=False) if update_edges else None

    def to_patients(self, patient: Tensor, modality: Tensor, edge_term: Tensor, layout: EdgeLayout) -> Tensor:
        """New patient vectors from modality vectors; ``edge_term`` is :meth:`edge_message` of the edges."""
        message = torch.relu(self.message_node(modality).index_select(0, layout.modality) + edge_term)
        mean = segment_mean(message, layout.patient, layout.num_patients)
        return torch.relu(self.update_message(mean) + self.update_node(patient))

    def modality_mean(self, patient: Tensor, edge_term: Tensor, layout: EdgeLayout) -> tuple[Tensor, Tensor]:
        """Sum of the messages into each modality [K, d], and their number [K]: what a running mean needs."""
        message = torch.relu(self.message_node(patient).index_select(0, layout.patient) + edge_term)
        total = message.new_zeros(layout.num_modalities, self.channels).index_add_(0, layout.modality, message)
        return total, layout.modality_degree.to(message.dtype)

    def update_modalities(self, modality: Tensor, mean: Tensor) -> Tensor:
        """New modality vectors from the mean message into each."""
        return torch.relu(self.update_message(mean) + self.update_node(modality))

    def edge_message(self, edge: Tensor) -> Tensor:
        """The edges' term of the messages, shared by both directions; [E, d]."""
        return self.message_edge(edge)

    def update_edge(self, edge: Tensor, patient: Tensor, modality: Tensor, layout: EdgeLayout) -> Tensor:
        """New edge vectors from both (new) ends; unchanged when the layer does not update edges."""
        if self.edge_patient is None or self.edge_modality is None or self.edge_edge is None:
            return edge
        ends = self.edge_patient(patient).index_select(0, layout.patient)
        ends = ends + self.edge_modality(modality).index_select(0, layout.modality)
        return edge + torch.relu(ends + self.edge_edge(edge))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.channels}, update_edges={self.edge_patient is not None})"
