"""Sparse message passing: knows tensors, nothing of patients."""

from gdsfd.ops.aggregate import aggregate, mask_total
from gdsfd.ops.bipartite import Bipartite
from gdsfd.ops.dropout import dropout
from gdsfd.ops.edge_messages import edge_messages
from gdsfd.ops.edge_update import edge_update, linear_edge_update
from gdsfd.ops.linear import linear
from gdsfd.ops.node_update import node_update
from gdsfd.ops.residual_network import residual_network
from gdsfd.ops.segment import segment_max, segment_mean, segment_min, segment_softmax, segment_sum

__all__ = [
    "Bipartite",
    "aggregate",
    "dropout",
    "edge_messages",
    "edge_update",
    "linear",
    "linear_edge_update",
    "mask_total",
    "node_update",
    "residual_network",
    "segment_max",
    "segment_mean",
    "segment_min",
    "segment_softmax",
    "segment_sum",
]
