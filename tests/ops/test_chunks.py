"""Chunks against the edges one by one; what they are given is left as it was."""

from __future__ import annotations

from importlib import import_module

import pytest
import torch

from gdsfd.ops import Bipartite, aggregate
from gdsfd.ops.chunks import EdgeChunk, chunks, collect, ends, narrowed, plus_ends

# Hub 0 has edges to patients 0, 1, 2; hub 1 only one, to patient 0; hub 2 has none.
GRAPH = Bipartite(torch.tensor([0, 1, 2, 0]), torch.tensor([0, 0, 0, 1]), torch.tensor([0, 3, 4, 4]), 3, 3)


@pytest.fixture(params=["hub by hub", "shared"])
def cut(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> list[EdgeChunk]:
    """The graph in chunks of at most two edges."""
    module = import_module("gdsfd.ops.chunks")
    monkeypatch.setattr(module, "_ROWS", 2)
    monkeypatch.setattr(module, "_LONG", 1 if request.param == "hub by hub" else 100)
    graph = Bipartite(GRAPH.left, GRAPH.right, GRAPH.right_ptr, 3, 3)
    found = chunks(graph)
    assert chunks(graph) is found
    return found


def test_every_edge_is_in_one_chunk(cut: list[EdgeChunk]) -> None:
    assert [edge for chunk in cut for edge in range(chunk.start, chunk.stop)] == [0, 1, 2, 3]
    for chunk in cut:
        assert 1 <= chunk.stop - chunk.start <= 2
        assert torch.equal(chunk.left, GRAPH.left[chunk.start : chunk.stop])
        assert torch.equal(chunk.right, GRAPH.right[chunk.start : chunk.stop])
        assert chunk.hub is None or set(chunk.right.tolist()) == {chunk.hub}
    hubs = [chunk.hub for chunk in cut]
    assert hubs in ([None, None], [0, 0, 1])


@pytest.mark.parametrize("common", [False, True])
@pytest.mark.parametrize("side", ["left", "right"])
def test_terms_of_ends_and_sums_at_ends(cut: list[EdgeChunk], side: str, common: bool) -> None:
    table = torch.tensor([[1.0, -1.0]]) if common else torch.tensor([[1.0, -1.0], [2.0, -2.0], [4.0, -4.0]])
    values = torch.tensor([[10.0, 0.0], [20.0, 0.0], [30.0, 0.0], [40.0, 0.0]])
    given, total = (table.clone(), values.clone()), torch.zeros_like(table)
    for chunk in cut:
        rows = values[chunk.start : chunk.stop]
        places = [0 if common else int(end) for end in (GRAPH.left if side == "left" else GRAPH.right)]
        own = torch.stack([table[places[edge]] for edge in range(chunk.start, chunk.stop)])
        assert torch.equal(ends(table, chunk, side).expand_as(rows), own)
        assert torch.equal(plus_ends(rows, table, chunk, side), rows + own)
        collect(total, rows, chunk, side)
    expected = torch.zeros_like(table)
    for edge, place in enumerate(places):
        expected[place] += values[edge]
    assert torch.equal(total, expected)
    assert torch.equal(table, given[0])
    assert torch.equal(values, given[1])


def test_narrowed() -> None:
    values = torch.tensor([[1.0, 2.0, 3.0, 4.0]])
    assert narrowed(values, 4) is values
    assert narrowed(values, 2).tolist() == [[3.0, 7.0]]
    assert narrowed(values, 1).tolist() == [[10.0]]


@pytest.mark.parametrize("activation", ["relu", "none"])
def test_a_hub_of_one_edge_keeps_its_term(monkeypatch: pytest.MonkeyPatch, activation: str) -> None:
    """The last chunk of a hub may be a single edge; its term was once added to in place, and gradients were wrong."""
    monkeypatch.setattr(import_module("gdsfd.ops.chunks"), "_LONG", 1)
    graph = Bipartite(GRAPH.left, GRAPH.right, GRAPH.right_ptr[:3], 3, 2)
    node = torch.tensor([[1.0], [5.0]], requires_grad=True)
    edge = torch.tensor([[0.0], [0.0], [0.0], [-3.0]], requires_grad=True)  # 5 - 3 is active, 5 - 3 - 3 would not be
    out = aggregate(node, edge, graph, "left", "sum", activation, backend="segment")
    assert out.flatten().tolist() == [3.0, 1.0, 1.0]
    out.sum().backward()
    assert node.tolist() == [[1.0], [5.0]]
    assert node.grad.tolist() == [[3.0], [1.0]]
    assert edge.grad.tolist() == [[1.0]] * 4
