"""Which backend ``auto`` takes."""

from __future__ import annotations

from torch import Tensor

from gdsfd.ops.backends import available
from gdsfd.ops.backends.composition import Reduce
from gdsfd.ops.bipartite import Bipartite, Side

__all__ = ["choose", "choose_edge_update"]


def choose(node: Tensor, edge: Tensor | None, graph: Bipartite, toward: Side, reduce: Reduce) -> str:
    """The backend for an aggregation; the arguments are those of :func:`gdsfd.ops.aggregate`."""
    if node.is_cuda and "triton" in available() and node.is_floating_point():
        return "triton"
    return "segment"


def choose_edge_update(edge: Tensor, graph: Bipartite) -> str:
    """The backend for an edge update."""
    if edge.is_cuda and "triton" in available():
        return "triton"
    return "segment"
