"""Mean aggregation of edge messages, in both directions of the bipartite graph."""

from __future__ import annotations

from torch import Tensor, nn

from gdsfd.graph.edge_layout import EdgeLayout
from gdsfd.ops import edge_messages, linear, linear_edge_update, mask_total, node_update

__all__ = ["EdgeSAGEConv"]


class EdgeSAGEConv(nn.Module):
    r"""Node and edge update with edge features on the patient-modality graph.

    With patients :math:`i`, modalities :math:`k`, edges :math:`(i, k)` with features :math:`e_{ik}` and, optionally,
    masks :math:`a_{ik} \in [0, 1]`, per edge or per channel (1 where there is none):

    .. math::
        m_i &= \sum_{k \in N(i)} a_{ik} \odot \operatorname{ReLU}(W [h_k ; e_{ik}]) \oslash \sum_{k \in N(i)} a_{ik},
        \quad h_i' = \operatorname{ReLU}(Q [m_i ; h_i]) \\
        e_{ik}' &= e_{ik} + \operatorname{ReLU}(U [h_i' ; h_k' ; e_{ik}])

    and the same with patients and modalities exchanged. :math:`m_i` is 0 where the masks add up to 0. Every linear map
    of a concatenation is split: the node terms are worked out once per node, the edge term once per edge and shared by
    both directions. A node vector given as [1, d] stands for all nodes of that side and is mapped once.

    Args:
        channels: Width d of nodes and edges.
        update_edges: Whether edges are updated (the last layer does not need it).

    Shapes:
        - patient: [B, d] or [1, d], modality: [K, d], edge: [E, d], mask: [E] or [E, d]
        - output: patient [B, d], modality [K, d], edge [E, d]

    References:
        Message and update after GRAPE (NeurIPS 2020) and MUSE (ICLR 2024); the residual edge update, the normalised
        masks and the split linear maps are ours.
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

    def forward(
        self,
        patient: Tensor,
        modality: Tensor,
        edge: Tensor,
        layout: EdgeLayout,
        mask: Tensor | None = None,
        backend: str = "auto",
        take: Tensor | None = None,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """New patient, modality and edge vectors.

        Args:
            patient: [B, d], or [1, d] = the same for all.
            modality: [K, d].
            edge: [E, d], in the order of the layout.
            layout: The edges.
            mask: Masks of the messages, [E] or [E, d]; None = 1.
            backend: Of the operations; see :func:`gdsfd.ops.aggregate`.
            take: Row of ``edge`` that each edge of the layout has, where several share one; see
                :func:`gdsfd.ops.edge_messages`.
        """
        to_patients, to_modalities = edge_messages(
            edge,
            self.message_edge.weight,
            _mapped(self.message_node, patient),
            _mapped(self.message_node, modality),
            layout.edges,
            mask,
            backend,
            take,
        )
        assert to_patients is not None
        assert to_modalities is not None
        new_patient = self.update(patient, to_patients, mask_total(mask, layout.edges, "left"))
        new_modality = self.update(modality, to_modalities, mask_total(mask, layout.edges, "right"))
        return new_patient, new_modality, self.update_edge(edge, new_patient, new_modality, layout, backend, take)

    def to_patients(self, modality: Tensor, edge: Tensor, layout: EdgeLayout, mask: Tensor | None = None) -> Tensor:
        """Sum of the messages into each patient; [B, d]."""
        node = _mapped(self.message_node, modality)
        total, _ = edge_messages(edge, self.message_edge.weight, None, node, layout.edges, mask)
        assert total is not None
        return total

    def to_modalities(self, patient: Tensor, edge: Tensor, layout: EdgeLayout, mask: Tensor | None = None) -> Tensor:
        """Sum of the messages into each modality, [K, d]; ``patient`` as in :meth:`forward`."""
        node = _mapped(self.message_node, patient)
        _, total = edge_messages(edge, self.message_edge.weight, node, None, layout.edges, mask)
        assert total is not None
        return total

    def update(self, node: Tensor, total: Tensor, norm: Tensor) -> Tensor:
        """New node vectors.

        Args:
            node: The old ones; [nodes, d] or [1, d].
            total: Sum of the messages into each; [nodes, d].
            norm: Sum of the masks of each; [nodes, 1] or [nodes, d].
        """
        message, old = self.update_message, self.update_node
        return node_update(total, norm, node, message.weight, old.weight, message.bias)

    def update_edge(
        self,
        edge: Tensor,
        patient: Tensor,
        modality: Tensor,
        layout: EdgeLayout,
        backend: str = "auto",
        take: Tensor | None = None,
    ) -> Tensor:
        """New edge vectors from both (new) ends; unchanged when the layer does not update edges."""
        if self.edge_patient is None or self.edge_modality is None or self.edge_edge is None:
            return edge if take is None else edge.index_select(0, take)
        ends = _mapped(self.edge_patient, patient), _mapped(self.edge_modality, modality)
        return linear_edge_update(edge, self.edge_edge.weight, *ends, layout.edges, backend, take)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.channels}, update_edges={self.edge_patient is not None})"


def _mapped(layer: nn.Linear, rows: Tensor) -> Tensor:
    return linear(rows, layer.weight, layer.bias)
