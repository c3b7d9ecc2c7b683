"""Launches of the forward kernels against loops over edges."""

from __future__ import annotations

import pytest
import torch
from ops.backends.triton.cases import Case

from gdsfd.ops.backends.triton.chunks import chunks_of_all, chunks_of_hubs
from gdsfd.ops.backends.triton.reductions import add_rows, constants, largest, one_of, total

CASE = Case(left=9, right=2, edges=150)
GRAPH = CASE.graph()
EDGE = torch.randn(150, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
MASK = torch.rand(150, 1, generator=torch.Generator().manual_seed(1), dtype=torch.float64).round(decimals=0)


@pytest.mark.parametrize("toward", ["left", "right"])
@pytest.mark.parametrize("masked", [False, True])
def test_totals_means_and_what_they_are_divided_by(toward: str, masked: bool) -> None:
    mask = MASK if masked else None
    summed, nothing = total(None, EDGE, mask, GRAPH, toward, relu=True)
    mean, norm = total(None, EDGE, mask, GRAPH, toward, relu=True, mean=True)
    assert nothing is None
    weight = MASK if masked else torch.ones_like(MASK)
    for node in range(GRAPH.num_nodes(toward)):
        own = GRAPH.ends(toward) == node
        expected = (EDGE[own].clamp(min=0) * weight[own]).sum(0)
        torch.testing.assert_close(summed[node], expected)
        torch.testing.assert_close(norm[node], weight[own].sum(0))
        torch.testing.assert_close(mean[node], expected / weight[own].sum().clamp(min=1e-9))


@pytest.mark.parametrize("toward", ["left", "right"])
def test_largest_and_the_edge_it_is_of(toward: str) -> None:
    value, taken = largest(None, EDGE, MASK, GRAPH, toward, relu=False)
    for node in range(GRAPH.num_nodes(toward)):
        own = ((GRAPH.ends(toward) == node) & (MASK[:, 0] > 0)).nonzero()[:, 0]
        if own.numel():
            assert torch.equal(value[node], EDGE[own].amax(0))
            assert torch.equal(taken[node].long(), own[EDGE[own].argmax(0)])
        else:
            assert value[node].tolist() == [0, 0, 0]
            assert taken[node].tolist() == [-1, -1, -1]


def test_no_edge_at_all() -> None:
    graph = Case(left=4, right=2, edges=0).graph()
    edge = torch.zeros(0, 3)
    summed, norm = total(None, edge, None, graph, "right", relu=False, mean=True)
    assert not summed.any()
    assert not norm.any()
    value, taken = largest(None, edge, None, graph, "right", relu=False)
    assert not value.any()
    assert (taken == -1).all()


def test_rows_by_owner() -> None:
    by_hub = add_rows(EDGE, chunks_of_hubs(GRAPH))
    for hub in range(2):
        torch.testing.assert_close(by_hub[hub], EDGE[GRAPH.right == hub].sum(0))
    torch.testing.assert_close(add_rows(EDGE, chunks_of_all(GRAPH)), EDGE.sum(0, keepdim=True))


def test_constants() -> None:
    node, edge = torch.zeros(1, 6), torch.zeros(4, 6)
    assert one_of(None, edge) is edge
    assert one_of(node, edge) is node
    found = constants(node, node, torch.zeros(4, 3), True, 5)
    assert (found["C"], found["W"], found["GROUP"], found["ONE_NODE"], found["RELU"]) == (6, 3, 2, True, True)
    # One row of a graph with one source is that source's, not one for all.
    assert not constants(node, node, None, False, 1)["ONE_NODE"]
    assert not constants(None, edge, None, False, 5)["ONE_NODE"]
