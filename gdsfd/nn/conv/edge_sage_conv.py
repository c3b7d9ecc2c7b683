"""GraphSAGE-style convolution with edge features, in both directions of the bipartite graph."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gdsfd.errors import InputError
from gdsfd.graph.grid_layout import Layout
from gdsfd.ops import aggregate, edge_update, mask_total, normalised
from gdsfd.ops.bipartite import Bipartite, Side
from gdsfd.ops.over_ranks import all_rows_needed, sum_over_ranks
from gdsfd.ops.sage_layer import fused, node_norm, sage_layer

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
        in_channels: Width d of nodes and edges.
        out_channels: The same: edges are updated by what is added to them. Default: ``in_channels``.
        update_edges: Whether edges are updated (the last layer does not need it).

    Shapes:
        - patient: [B, d] or [1, d], modality: [K, d], edge: [E, d], mask: [E] or [E, d]; on a grid edge [K, B, d] and
          mask [K, B] or [K, B, d]
        - output: patient [B, d], modality [K, d], edge [E, d]

    Raises:
        InputError: Two widths.

    References:
        Message and update after GRAPE (NeurIPS 2020) and MUSE (ICLR 2024); the residual edge update, the normalised
        masks and the split linear maps are ours.
    """

    def __init__(self, in_channels: int, out_channels: int | None = None, update_edges: bool = True) -> None:
        super().__init__()
        if out_channels not in (None, in_channels):
            raise InputError(f"EdgeSAGEConv: expected out_channels = in_channels = {in_channels}, got {out_channels}")
        self.in_channels = self.out_channels = channels = in_channels
        self.message_node = nn.Linear(channels, channels)
        self.message_edge = nn.Linear(channels, channels, bias=False)
        self.update_message = nn.Linear(channels, channels)
        self.update_node = nn.Linear(channels, channels, bias=False)
        self.edge_patient = nn.Linear(channels, channels) if update_edges else None
        self.edge_modality = nn.Linear(channels, channels, bias=False) if update_edges else None
        self.edge_edge = nn.Linear(channels, channels, bias=False) if update_edges else None

    def reset_parameters(self) -> None:
        """Draws all weights anew."""
        for layer in self.children():
            assert isinstance(layer, nn.Linear)
            layer.reset_parameters()

    def forward(
        self,
        patient: Tensor,
        modality: Tensor,
        edge: Tensor,
        layout: Layout,
        mask: Tensor | None = None,
        backend: str = "auto",
        take: Tensor | None = None,
        norm: Tensor | None = None,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """New patient, modality and edge vectors.

        Args:
            patient: [B, d], or [1, d] = the same for all.
            modality: [K, d].
            edge: [E, d], in the order of the layout.
            layout: The edges.
            mask: Masks of the messages, [E] or [E, d]; None = 1.
            backend: Of the operations; see :func:`gdsfd.ops.aggregate`.
            take: Row of ``edge`` that each edge of the layout has, int64, where several share one (then ``edge`` is
                [rows, d], and what is made of it alone is worked out once per row); None = each has its own.
            norm: What :meth:`norm` gave for another layer with the same edges and masks; None = worked out.
        """
        norm = self.norm(edge, layout, mask, backend) if norm is None else norm
        if self._fused(edge, layout, backend):
            assert self.edge_patient is not None
            assert self.edge_modality is not None
            assert self.edge_edge is not None
            edges = (self.edge_patient.weight, self.edge_patient.bias, self.edge_modality.weight, self.edge_edge.weight)
            return self._in_one(patient, modality, edge, layout, mask, norm, edges, take)
        term = _taken(self.message_edge(edge), take)
        norm = norm[: layout.num_patients]
        to_patients = _sum(self.message_node(modality), term, layout, "left", mask, backend)
        to_modalities = _sum(self.message_node(patient), term, layout, "right", mask, backend)
        new_patient = self.update(patient, to_patients, norm)
        of_modalities = mask_total(mask, layout.edges, "right")
        to_modalities, of_modalities = sum_over_ranks(to_modalities, of_modalities)
        new_modality = self.update(modality, to_modalities, of_modalities)
        return new_patient, new_modality, self.update_edge(edge, new_patient, new_modality, layout, backend, take)

    def norm(self, edge: Tensor, layout: Layout, mask: Tensor | None, backend: str = "auto") -> Tensor:
        """Sum of the masks of each patient, on a short list of edges also of each modality; the same in every layer."""
        graph = layout.edges
        if backend == "auto" and isinstance(graph, Bipartite) and fused(edge, graph):
            return node_norm(_columns(mask, edge), graph, edge)
        return mask_total(mask, graph, "left")

    def new_patients(
        self,
        patient: Tensor,
        modality: Tensor,
        edge: Tensor,
        layout: Layout,
        mask: Tensor | None,
        norm: Tensor,
        take: Tensor | None = None,
    ) -> Tensor:
        """The first of what :meth:`forward` gives, for a last layer; the arguments are the same."""
        if isinstance(layout.edges, Bipartite) and fused(edge, layout.edges):
            return self._in_one(patient, modality, edge, layout, mask, norm, None, take)[0]
        return self.update(patient, self.to_patients(modality, _taken(edge, take), layout, mask), norm)

    def _fused(self, edge: Tensor, layout: Layout, backend: str) -> bool:
        alone = not all_rows_needed()  # the operation in one has no place to add up messages of other processes
        return alone and backend == "auto" and self.edge_patient is not None and fused(edge, layout.edges)

    def _in_one(
        self,
        patient: Tensor,
        modality: Tensor,
        edge: Tensor,
        layout: Layout,
        mask: Tensor | None,
        norm: Tensor,
        edges: tuple[Tensor, Tensor, Tensor, Tensor] | None,
        take: Tensor | None,
    ) -> tuple[Tensor, Tensor, Tensor]:
        assert isinstance(layout.edges, Bipartite)
        message = self.message_node.weight, self.message_node.bias, self.message_edge.weight
        update = self.update_message.weight, self.update_message.bias, self.update_node.weight
        mask = _columns(mask, edge)
        return sage_layer(patient, modality, edge, mask, norm, layout.edges, message, update, edges, take)

    def to_patients(self, modality: Tensor, edge: Tensor, layout: Layout, mask: Tensor | None = None) -> Tensor:
        """Sum of the messages into each patient; [B, d]."""
        return _sum(self.message_node(modality), self.message_edge(edge), layout, "left", mask)

    def to_modalities(self, patient: Tensor, edge: Tensor, layout: Layout, mask: Tensor | None = None) -> Tensor:
        """Sum of the messages into each modality, [K, d]; ``patient`` as in :meth:`forward`."""
        return _sum(self.message_node(patient), self.message_edge(edge), layout, "right", mask)

    def update(self, node: Tensor, total: Tensor, norm: Tensor) -> Tensor:
        """New node vectors.

        Args:
            node: The old ones; [nodes, d] or [1, d].
            total: Sum of the messages into each; [nodes, d].
            norm: Sum of the masks of each; [nodes, 1] or [nodes, d].
        """
        return torch.relu(self.update_message(normalised(total, norm)) + self.update_node(node))

    def update_edge(
        self,
        edge: Tensor,
        patient: Tensor,
        modality: Tensor,
        layout: Layout,
        backend: str = "auto",
        take: Tensor | None = None,
    ) -> Tensor:
        """New edge vectors from both (new) ends; unchanged when the layer does not update edges."""
        if self.edge_patient is None or self.edge_modality is None or self.edge_edge is None:
            return _taken(edge, take)
        ends = self.edge_patient(patient), self.edge_modality(modality)
        return edge_update(*ends, _taken(self.edge_edge(edge), take), _taken(edge, take), layout.edges, backend=backend)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.in_channels}, update_edges={self.edge_patient is not None})"


def _columns(mask: Tensor | None, like: Tensor) -> Tensor | None:
    """A mask as [E, 1] or [E, d], of the edges' type."""
    if mask is None:
        return None
    return (mask.unsqueeze(1) if mask.dim() == 1 else mask).to(like.dtype)


def _taken(rows: Tensor, take: Tensor | None) -> Tensor:
    return rows if take is None else rows.index_select(0, take)


def _sum(
    node: Tensor, term: Tensor, layout: Layout, toward: Side, mask: Tensor | None, backend: str = "auto"
) -> Tensor:
    """Sum of the messages ``mask * ReLU(node + term)`` into each node of one side."""
    mask = None if mask is None else mask.to(term.dtype)  # under autocast the term is in half precision
    return aggregate(node, term, layout.edges, toward, "sum", mask=mask, backend=backend)
