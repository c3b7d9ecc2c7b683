"""Sparse message passing: knows tensors, nothing of patients."""

from gdsfd.ops.aggregate import aggregate, mask_total, normalised
from gdsfd.ops.bipartite import Bipartite
from gdsfd.ops.dropout import dropout
from gdsfd.ops.edge_update import edge_update
from gdsfd.ops.grid import Grid
from gdsfd.ops.segment import segment_max, segment_mean, segment_softmax, segment_sum

__all__ = [
    "Bipartite",
    "Grid",
    "aggregate",
    "dropout",
    "edge_update",
    "mask_total",
    "normalised",
    "segment_max",
    "segment_mean",
    "segment_softmax",
    "segment_sum",
]
