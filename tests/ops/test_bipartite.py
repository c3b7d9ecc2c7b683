"""The edge list and what is derived from it, against lists of edges."""

from __future__ import annotations

import pytest
import torch
from ops.problems import DEGREES, random_graph

from gdsfd.ops import Bipartite


def test_edges_in_any_order_are_sorted_and_their_values_follow() -> None:
    left, right = torch.tensor([3, 0, 2, 0, 3, 0]), torch.tensor([1, 2, 1, 0, 1, 2])
    graph, order = Bipartite.from_edges(left, right, 5, 4)
    pairs = list(zip(right.tolist(), left.tolist()))
    assert list(zip(graph.right.tolist(), graph.left.tolist())) == sorted(pairs)
    # Of parallel edges the one that came first comes first.
    assert order.tolist() == [place for _, place in sorted((pair, place) for place, pair in enumerate(pairs))]
    assert graph.right_ptr.tolist() == [0, 1, 4, 6, 6]


@pytest.mark.parametrize("degrees", DEGREES)
def test_orders_pointers_and_degrees(degrees: str) -> None:
    graph = random_graph(7, 4, degrees, torch.Generator().manual_seed(3))
    pairs = list(zip(graph.left.tolist(), graph.right.tolist()))
    assert graph.num_edges == len(pairs)
    for node in range(7):
        own = graph.by_left[graph.left_ptr[node] : graph.left_ptr[node + 1]].tolist()
        assert own == [edge for edge, (left, _) in enumerate(pairs) if left == node]
        assert graph.degree("left")[node] == len(own)
    for node in range(4):
        own = list(range(*graph.right_ptr[node : node + 2].tolist()))
        assert own == [edge for edge, (_, right) in enumerate(pairs) if right == node]
        assert graph.degree("right")[node] == len(own)
    assert (graph.num_nodes("left"), graph.num_nodes("right")) == (7, 4)
    assert graph.ends("left") is graph.left
    assert graph.ends("right") is graph.right
    assert graph.complete == (sorted(pairs) == [(left, right) for left in range(7) for right in range(4)])


def test_no_nodes_on_one_side() -> None:
    nothing = torch.zeros(0, dtype=torch.long)
    graph, order = Bipartite.from_edges(nothing, nothing, 0, 3)
    assert order.numel() == graph.num_edges == graph.left_degree.numel() == 0
    assert graph.right_ptr.tolist() == [0, 0, 0, 0]
    assert graph.left_ptr.tolist() == [0]
    assert not graph.complete


def test_as_many_edges_as_pairs_may_not_be_complete() -> None:
    doubled = Bipartite(torch.tensor([0, 0, 0, 1]), torch.tensor([0, 0, 1, 1]), torch.tensor([0, 2, 4]), 2, 2)
    assert not doubled.complete
    uneven = Bipartite(torch.tensor([0, 1, 0, 1]), torch.tensor([0, 0, 0, 1]), torch.tensor([0, 3, 4]), 2, 2)
    assert not uneven.complete
