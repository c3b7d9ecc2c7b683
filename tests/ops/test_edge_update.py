"""Edge updates of every backend against plain tensors."""

from __future__ import annotations

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ops.problems import COMPARED, DEGREES, assert_close, leaf, random_graph, results
from torch import Tensor

from gdsfd.errors import InputError
from gdsfd.ops import Bipartite, edge_update
from gdsfd.ops.backends import available
from gdsfd.ops.chunks import chunks

RELAXED = settings(deadline=None, max_examples=40, suppress_health_check=list(HealthCheck))


UPDATERS = [*(name for name in COMPARED if name in available()), "reference", "auto"]


def plain_update(left: Tensor, right: Tensor, term: Tensor, graph: Bipartite, activation: str = "relu") -> Tensor:
    of_left = left[[0] * graph.num_edges] if left.size(0) == 1 else left[graph.left]
    term = of_left + right[graph.right] + term
    return torch.relu(term) if activation == "relu" else term


@pytest.mark.parametrize("backend", UPDATERS)
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
        leaves = [left, right, edge] + ([] if old is None else [old])
        plain = plain_update(left, right, edge, graph, activation)
        expected = results([plain if old is None else plain + old], leaves)
        out = edge_update(left, right, edge, old, graph, activation, backend)
        assert_close(results([out], leaves), expected, tolerance)


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("backend", UPDATERS)
@pytest.mark.parametrize(("patients", "hubs"), [(6000, 2), (600, 30)])
def test_several_chunks(backend: str, patients: int, hubs: int) -> None:
    generator = torch.Generator().manual_seed(4)
    graph = random_graph(patients, hubs, "one hub has all", generator)
    assert len(chunks(graph)) > 2
    for dtype, tolerance in ((torch.float64, 1e-10), (torch.float32, 1e-5)):
        sizes = [(patients, 8), (hubs, 8), (graph.num_edges, 8), (graph.num_edges, 8)]
        leaves = [leaf(*size, generator=generator, dtype=dtype) for size in sizes]
        expected = results([leaves[3] + plain_update(*leaves[:3], graph)], leaves)
        assert_close(results([edge_update(*leaves, graph, backend=backend)], leaves), expected, tolerance)


def test_what_is_wrong_is_named() -> None:
    graph = Bipartite(torch.tensor([0, 1]), torch.tensor([0, 0]), torch.tensor([0, 2]), 2, 1)
    edge, row = torch.ones(2, 4), torch.zeros(1, 4)
    with pytest.raises(InputError, match=r"edge_update: right has shape \[1, 3\]"):
        edge_update(row, torch.zeros(1, 3), edge, None, graph)
    with pytest.raises(InputError, match=r"edge_update: residual has shape \[1, 4\]; expected \[2, 4\]"):
        edge_update(row, row, edge, row, graph)
    with pytest.raises(InputError, match="activation is 'gelu'"):
        edge_update(row, row, edge, None, graph, "gelu")
