"""The obvious way: gather, add, activate, weigh, ``index_add``. Any dtype, any device, differentiable twice."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from gdsfd.ops.backends.composition import Activation, Gathered, compose, gather
from gdsfd.ops.bipartite import Bipartite, Side
from gdsfd.ops.segment import segment_sum

__all__ = ["aggregate", "edge_update", "usable"]


def usable() -> bool:
    """Everywhere."""
    return True


class _Plain(Gathered):
    def total(self, values: Tensor, graph: Bipartite, toward: Side) -> Tensor:
        return segment_sum(values, graph.ends(toward), graph.num_nodes(toward))


_PLAIN = _Plain()


#: See :func:`gdsfd.ops.aggregate`.
aggregate = partial(compose, _PLAIN)


def edge_update(
    left: Tensor, right: Tensor, edge: Tensor, residual: Tensor | None, graph: Bipartite, activation: Activation
) -> Tensor:
    """See :func:`gdsfd.ops.edge_update`."""
    term = gather(left, graph, "left") + gather(right, graph, "right") + edge
    if activation == "relu":
        term = torch.relu(term)
    return term if residual is None else residual + term
