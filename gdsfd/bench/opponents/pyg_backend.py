"""torch_geometric's ``MessagePassing``, used the way its documentation shows: the backend ``pyg`` of the operations.

Importing this module declares it.
"""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor
from torch_geometric.nn import MessagePassing

from gdsfd.ops.backends import BACKENDS, Backend
from gdsfd.ops.backends.composition import Activation, compose, other, weighted
from gdsfd.ops.backends.reference import edge_update
from gdsfd.ops.bipartite import Bipartite, Side

__all__ = ["aggregate", "edge_update", "usable"]

BACKENDS.register("pyg")(Backend("pyg", __name__))


def usable() -> bool:
    """Everywhere: torch_geometric is required."""
    return True


class _Messages(MessagePassing):
    """Sum of ``weight * act(x_j + edge_attr)``."""

    def __init__(self, activation: Activation) -> None:
        super().__init__(aggr="sum")
        self.activation = activation

    def forward(
        self, x: Tensor, edge_index: Tensor, edge_attr: Tensor | None, weight: Tensor | None, size: tuple[int, int]
    ) -> Tensor:
        return self.propagate(edge_index, x=(x, None), edge_attr=edge_attr, weight=weight, size=size)

    def message(self, x_j: Tensor, edge_attr: Tensor | None, weight: Tensor | None) -> Tensor:
        out = x_j if edge_attr is None else x_j + edge_attr
        if self.activation == "relu":
            out = torch.relu(out)
        return weighted(out, weight)


class _MessagePassing:
    def weighted_total(
        self,
        node: Tensor,
        edge: Tensor | None,
        weight: Tensor | None,
        graph: Bipartite,
        toward: Side,
        activation: Activation,
    ) -> Tensor:
        source = other(toward)
        edge_index = torch.stack([graph.ends(source), graph.ends(toward)])
        size = (graph.num_nodes(source), graph.num_nodes(toward))
        return _Messages(activation)(node.expand(size[0], -1), edge_index, edge, weight, size)

    def total(self, values: Tensor, graph: Bipartite, toward: Side) -> Tensor:
        zero = values.new_zeros(1, values.size(1))
        return self.weighted_total(zero, values, None, graph, toward, "none")


_MESSAGE_PASSING = _MessagePassing()


#: See :func:`gdsfd.ops.aggregate`.
aggregate = partial(compose, _MESSAGE_PASSING)
