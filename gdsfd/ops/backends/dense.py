"""Every left-right pair a cell of a grid [K, N, C], present or not: arithmetic without indices.

Parallel edges take planes of their own. When every pair is present the edges, sorted by hub, already are the grid.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from gdsfd.ops.backends.composition import Activation, compose, weighted, where_positive
from gdsfd.ops.backends.reference import edge_update
from gdsfd.ops.bipartite import Bipartite, Side

__all__ = ["aggregate", "edge_update", "usable"]


def usable() -> bool:
    """Everywhere."""
    return True


@dataclass(eq=False)
class _Grid:
    """Where each edge stands.

    Args:
        cell: Number of each edge's cell, plane after plane; int64 [E].
        hub: Right node of each plane; int64 [P].
        left: Number of left nodes N.
        complete: Whether edge ``e`` is cell ``e`` and no cell is left over.
    """

    cell: Tensor
    hub: Tensor
    left: int
    complete: bool

    def spread(self, values: Tensor) -> Tensor:
        """[E, H] to [P, N, H]; absent cells are 0."""
        if not self.complete:
            cells = self.hub.numel() * self.left
            values = values.new_zeros(cells, values.size(1)).index_copy(0, self.cell, values)
        return values.reshape(self.hub.numel(), self.left, values.size(1))

    def present(self, like: Tensor) -> Tensor:
        """1 where there is an edge; [P, N, 1] of ``like``'s dtype."""
        return self.spread(like.new_ones(self.cell.numel(), 1))


def _grid(graph: Bipartite) -> _Grid:
    """The grid of a graph; worked out once."""
    found: _Grid | None = graph.__dict__.get("_grid")
    if found is None:
        device = graph.left.device
        pair = graph.right * graph.num_left + graph.left
        order = torch.argsort(pair, stable=True)
        ordered = pair[order]
        place = torch.arange(graph.num_edges, device=device)
        fresh = torch.ones_like(ordered, dtype=torch.bool)
        fresh[1:] = ordered[1:] != ordered[:-1]
        first = torch.where(fresh, place, 0).cummax(0).values if graph.num_edges else place
        copy = torch.empty_like(place).index_copy_(0, order, place - first)  # how many of its pair come before it
        copies = int(copy.max()) + 1 if graph.num_edges else 1
        cell = (graph.right * copies + copy) * graph.num_left + graph.left
        hub = torch.arange(graph.num_right, device=device).repeat_interleave(copies)
        complete = hub.numel() * graph.num_left == graph.num_edges and torch.equal(cell, place)
        found = _Grid(cell, hub, graph.num_left, complete)
        graph.__dict__["_grid"] = found
    return found


class _Cells:
    def weighted_total(
        self,
        node: Tensor,
        edge: Tensor | None,
        weight: Tensor | None,
        graph: Bipartite,
        toward: Side,
        activation: Activation,
    ) -> Tensor:
        grid = _grid(graph)
        if node.size(0) == 1:
            ends = node.unsqueeze(0)
        else:
            ends = node.unsqueeze(0) if toward == "right" else node.index_select(0, grid.hub).unsqueeze(1)
        message = ends if edge is None else ends + grid.spread(edge)
        if activation == "relu":
            message = torch.relu(message)
        message = message.expand(grid.hub.numel(), grid.left, -1)
        if weight is not None:
            flat = weighted(message.reshape(-1, message.size(2)), grid.spread(weight).flatten(0, 1))
            message = flat.view(message.shape)
        if not grid.complete:
            message = where_positive(message, grid.present(message))  # not a product: what is absent may be infinite
        if toward == "left":
            return message.sum(0)
        planes = message.sum(1)
        return planes.new_zeros(graph.num_right, planes.size(1)).index_add(0, grid.hub, planes)

    def total(self, values: Tensor, graph: Bipartite, toward: Side) -> Tensor:
        return self.weighted_total(values.new_zeros(1, values.size(1)), values, None, graph, toward, "none")


_CELLS = _Cells()


#: See :func:`gdsfd.ops.aggregate`.
aggregate = partial(compose, _CELLS)
