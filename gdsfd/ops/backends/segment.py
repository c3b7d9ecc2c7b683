"""Sums over sorted segments: deterministic, without atomics."""

from __future__ import annotations

import torch
from torch import Tensor

from gdsfd.ops.backends.composition import Activation, Reduce, compose, gather, other, weighted
from gdsfd.ops.backends.reference import edge_update
from gdsfd.ops.bipartite import Bipartite, Side

__all__ = ["aggregate", "edge_update", "usable"]


def usable() -> bool:
    """Everywhere."""
    return True


class _Segments:
    def weighted_total(
        self,
        node: Tensor,
        edge: Tensor | None,
        weight: Tensor | None,
        graph: Bipartite,
        toward: Side,
        activation: Activation,
    ) -> Tensor:
        message = gather(node, graph, other(toward))
        if edge is not None:
            message = message + edge
        if activation == "relu":
            message = torch.relu(message)
        return self.total(weighted(message, weight), graph, toward)

    def total(self, values: Tensor, graph: Bipartite, toward: Side) -> Tensor:
        out = values.new_zeros(graph.num_nodes(toward), values.size(1))
        return out.index_add(0, graph.ends(toward), values)


_SEGMENTS = _Segments()


def aggregate(
    node: Tensor,
    edge: Tensor | None,
    graph: Bipartite,
    toward: Side,
    reduce: Reduce,
    activation: Activation,
    mask: Tensor | None,
    score: Tensor | None,
) -> Tensor:
    """See :func:`gdsfd.ops.aggregate`."""
    return compose(_SEGMENTS, node, edge, graph, toward, reduce, activation, mask, score)
