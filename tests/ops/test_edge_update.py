"""Edge updates of every backend against plain tensors, with the edges' term given and with its product inside."""

from __future__ import annotations

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ops.problems import DEGREES, LAYERWISE, assert_close, leaf, random_graph, results
from torch import Tensor

from gdsfd.errors import InputError
from gdsfd.ops import Bipartite, edge_update, linear_edge_update
from gdsfd.ops.chunks import chunks

RELAXED = settings(deadline=None, max_examples=40, suppress_health_check=list(HealthCheck))


def plain_update(left: Tensor, right: Tensor, term: Tensor, graph: Bipartite, activation: str = "relu") -> Tensor:
    of_left = left[[0] * graph.num_edges] if left.size(0) == 1 else left[graph.left]
    term = of_left + right[graph.right] + term
    return torch.relu(term) if activation == "relu" else term


@pytest.mark.parametrize("backend", LAYERWISE)
@RELAXED
@given(
    sizes=st.tuples(st.integers(1, 9), st.integers(1, 4), st.integers(1, 5)),
    degrees=st.sampled_from(DEGREES),
    common=st.booleans(),
    residual=st.booleans(),
    activation=st.sampled_from(["relu", "none"]),
    seed=st.integers(0, 100_000),
)
def test_every_backend(
    backend: str,
    sizes: tuple[int, int, int],
    degrees: str,
    common: bool,
    residual: bool,
    activation: str,
    seed: int,
) -> None:
    generator = torch.Generator().manual_seed(seed)
    graph, channels = random_graph(sizes[0], sizes[1], degrees, generator), sizes[2]
    for dtype, tolerance in ((torch.float64, 1e-10), (torch.float32, 1e-5)):
        left = leaf(1 if common else graph.num_left, channels, generator=generator, dtype=dtype)
        right = leaf(graph.num_right, channels, generator=generator, dtype=dtype)
        edge = leaf(graph.num_edges, channels, generator=generator, dtype=dtype)
        old = leaf(graph.num_edges, channels, generator=generator, dtype=dtype) if residual else None
        weight = leaf(channels, channels, generator=generator, dtype=dtype)
        leaves = [left, right, edge] + ([] if old is None else [old])
        plain = plain_update(left, right, edge, graph, activation)
        expected = results([plain if old is None else plain + old], leaves)
        out = edge_update(left, right, edge, old, graph, activation, backend)
        assert_close(results([out], leaves), expected, tolerance)
        leaves = [left, right, edge, weight]
        expected = results([edge + plain_update(left, right, edge @ weight.t(), graph)], leaves)
        out = linear_edge_update(edge, weight, left, right, graph, backend)
        assert_close(results([out], leaves), expected, tolerance)


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("backend", LAYERWISE)
@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize(("patients", "hubs"), [(6000, 2), (600, 30)])
def test_several_chunks(backend: str, shared: bool, patients: int, hubs: int) -> None:
    """With ``shared`` several edges have one row of old values, and its gradients add up."""
    generator = torch.Generator().manual_seed(4)
    graph = random_graph(patients, hubs, "one hub has all", generator)
    assert len(chunks(graph)) > 2
    rows = graph.num_edges // 2 if shared else graph.num_edges
    take = torch.randint(0, rows, (graph.num_edges,), generator=generator) if shared else None
    for dtype, tolerance in ((torch.float64, 1e-10), (torch.float32, 1e-5)):
        sizes = [(rows, 8), (8, 8), (patients, 8), (hubs, 8)]
        leaves = [leaf(*size, generator=generator, dtype=dtype) for size in sizes]
        edge, weight, left, right = leaves
        own = edge if take is None else edge[take]
        expected = results([own + plain_update(left, right, own @ weight.t(), graph)], leaves)
        found = linear_edge_update(*leaves, graph, backend, take)
        assert_close(results([found], leaves), expected, tolerance)


def test_what_is_wrong_is_named() -> None:
    graph = Bipartite(torch.tensor([0, 1]), torch.tensor([0, 0]), torch.tensor([0, 2]), 2, 1)
    edge, row = torch.ones(2, 4), torch.zeros(1, 4)
    with pytest.raises(InputError, match=r"edge_update: right has shape \[1, 3\]"):
        edge_update(row, torch.zeros(1, 3), edge, None, graph)
    with pytest.raises(InputError, match=r"edge_update: residual has shape \[1, 4\]; expected \[2, 4\]"):
        edge_update(row, row, edge, row, graph)
    with pytest.raises(InputError, match="activation is 'gelu'"):
        edge_update(row, row, edge, None, graph, "gelu")
