"""The grid: where edges stand in it, and what absent cells hold."""

from __future__ import annotations

import torch

from gdsfd.ops import Bipartite, aggregate
from gdsfd.ops.backends.dense import _grid


def test_parallel_edges_have_planes_of_their_own() -> None:
    left, right = torch.tensor([1, 0, 1, 1, 2]), torch.tensor([0, 0, 0, 1, 1])
    graph = Bipartite.from_edges(left, right, 3, 2)[0]  # (0, 0), (1, 0), (1, 0), (1, 1), (2, 1)
    grid = _grid(graph)
    assert _grid(graph) is grid
    assert not grid.complete
    assert grid.hub.tolist() == [0, 0, 1, 1]
    planes = grid.spread(torch.tensor([[1.0], [2.0], [3.0], [4.0], [5.0]])).squeeze(2)
    assert planes.tolist() == [[1, 2, 0], [0, 3, 0], [0, 4, 5], [0, 0, 0]]
    assert grid.present(planes).squeeze(2).tolist() == [[1, 1, 0], [0, 1, 0], [0, 1, 1], [0, 0, 0]]


def test_every_pair_present_needs_no_copy() -> None:
    left, right = torch.tensor([0, 1, 2, 0, 1, 2]), torch.tensor([0, 0, 0, 1, 1, 1])
    graph = Bipartite(left, right, torch.tensor([0, 3, 6]), 3, 2)
    values = torch.arange(12.0).view(6, 2)
    assert _grid(graph).complete
    assert _grid(graph).spread(values).data_ptr() == values.data_ptr()
    assert _grid(graph).spread(values)[1, 2].tolist() == values[5].tolist()
    # The same pairs in another order of the left nodes are not their grid.
    turned = Bipartite(left.flip(0), right, torch.tensor([0, 3, 6]), 3, 2)
    assert not _grid(turned).complete
    assert _grid(turned).spread(values)[0, 2].tolist() == values[0].tolist()


def test_what_is_absent_may_be_infinite() -> None:
    """Hub 1 has an infinite term and an edge to patient 0 only."""
    graph = Bipartite(torch.tensor([0, 1, 0]), torch.tensor([0, 0, 1]), torch.tensor([0, 2, 3]), 2, 2)
    hubs = torch.tensor([[1.0], [torch.inf]])
    assert aggregate(hubs, None, graph, "left", "sum", backend="dense").flatten().tolist() == [torch.inf, 1.0]
