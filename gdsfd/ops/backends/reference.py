"""The obvious way: gather, add, activate, weigh, ``index_add``. Any dtype, any device, differentiable twice."""

from __future__ import annotations

import torch
from torch import Tensor

from gdsfd.ops.backends.composition import Activation, Reduce, compose, gather, other, weighted
from gdsfd.ops.bipartite import Bipartite, Side
from gdsfd.ops.segment import segment_sum

__all__ = ["aggregate", "edge_update", "usable"]


def usable() -> bool:
    """Everywhere."""
    return True


class _Plain:
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
        return segment_sum(values, graph.ends(toward), graph.num_nodes(toward))


_PLAIN = _Plain()


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
    return compose(_PLAIN, node, edge, graph, toward, reduce, activation, mask, score)


def edge_update(
    left: Tensor, right: Tensor, edge: Tensor, residual: Tensor | None, graph: Bipartite, activation: Activation
) -> Tensor:
    """See :func:`gdsfd.ops.edge_update`."""
    term = gather(left, graph, "left") + gather(right, graph, "right") + edge
    if activation == "relu":
        term = torch.relu(term)
    return term if residual is None else residual + term
