"""Sparse message passing: knows tensors, nothing of patients."""

from gdsfd.ops.aggregate import aggregate
from gdsfd.ops.bipartite import Bipartite
from gdsfd.ops.edge_update import edge_update
from gdsfd.ops.segment import segment_max, segment_mean, segment_min, segment_softmax, segment_sum

__all__ = [
    "Bipartite",
    "aggregate",
    "edge_update",
    "segment_max",
    "segment_mean",
    "segment_min",
    "segment_softmax",
    "segment_sum",
]
