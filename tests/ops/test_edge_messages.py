"""Sums of messages in both directions, of every backend, against the loop over single edges."""

from __future__ import annotations

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ops.problems import DEGREES, LAYERWISE, Problem, assert_close, by_loop, leaf, random_graph, results
from torch import Tensor

from gdsfd.errors import InputError
from gdsfd.ops import Bipartite, edge_messages, linear_edge_update
from gdsfd.ops.chunks import chunks

RELAXED = settings(deadline=None, max_examples=40, suppress_health_check=list(HealthCheck))


@pytest.mark.parametrize("backend", LAYERWISE)
@RELAXED
@given(
    sizes=st.tuples(st.integers(1, 9), st.integers(1, 4), st.integers(1, 3)),
    degrees=st.sampled_from(DEGREES),
    mask_kind=st.sampled_from(["none", "edge", "channel", "hard"]),
    common=st.booleans(),
    wanted=st.sampled_from(["both", "left", "right"]),
    shared=st.booleans(),
    double=st.booleans(),
    seed=st.integers(0, 100_000),
)
def test_every_backend_is_the_loop(
    backend: str,
    sizes: tuple[int, int, int],
    degrees: str,
    mask_kind: str,
    common: bool,
    wanted: str,
    shared: bool,
    double: bool,
    seed: int,
) -> None:
    generator = torch.Generator().manual_seed(seed)
    graph = random_graph(sizes[0], sizes[1], degrees, generator)
    given = arguments(graph, sizes[2], mask_kind, common, wanted, shared, double, generator)
    leaves = [each for name, each in given.items() if name not in ("graph", "take") and each is not None]
    found = [each for each in edge_messages(**given, backend=backend) if each is not None]
    assert len(found) == (2 if wanted == "both" else 1)
    assert_close(results(found, leaves), results(both_by_loop(given), leaves), 1e-10 if double else 1e-5)


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("backend", [name for name in LAYERWISE if name != "reference"])
@pytest.mark.parametrize("mask_kind", ["none", "edge", "channel"])
@pytest.mark.parametrize("shared", [False, True])
@pytest.mark.parametrize(("patients", "hubs"), [(6000, 2), (600, 30)])
def test_several_chunks(backend: str, mask_kind: str, shared: bool, patients: int, hubs: int) -> None:
    generator = torch.Generator().manual_seed(3)
    graph = random_graph(patients, hubs, "one hub has all", generator)
    assert len(chunks(graph)) > 2
    for double, common in ((False, False), (True, True)):
        given = arguments(graph, 8, mask_kind, common, "both", shared, double, generator)
        leaves = [each for name, each in given.items() if name not in ("graph", "take") and each is not None]
        found, expected = (
            results(list(edge_messages(**given, backend=name)), leaves) for name in (backend, "reference")
        )
        assert_close(found, expected, 1e-10 if double else 1e-5)


def arguments(
    graph: Bipartite,
    channels: int,
    mask_kind: str,
    common: bool,
    wanted: str,
    shared: bool,
    double: bool,
    generator: torch.Generator,
) -> dict:
    """Arguments of ``edge_messages`` but for the backend; ``shared``: several edges share a row of values."""
    dtype = torch.float64 if double else torch.float32
    rows, take = graph.num_edges, None
    if shared and graph.num_edges:
        rows = max(1, graph.num_edges // 2)
        take = torch.randint(0, rows, (graph.num_edges,), generator=generator)
    mask = None
    if mask_kind != "none":
        size = (graph.num_edges,) if mask_kind == "edge" else (graph.num_edges, channels)
        mask = torch.rand(size, dtype=dtype, generator=generator)
        mask = (mask.round() if mask_kind == "hard" else mask).requires_grad_()
    nodes = {"left": 1 if common else graph.num_left, "right": graph.num_right}
    toward = {"left": "right", "right": "left"}  # the left nodes' terms are sent to the right
    return {
        "edge": leaf(rows, channels, generator=generator, dtype=dtype),
        "weight": leaf(channels, channels, generator=generator, dtype=dtype),
        **{
            side: leaf(count, channels, generator=generator, dtype=dtype) if wanted in ("both", toward[side]) else None
            for side, count in nodes.items()
        },
        "graph": graph,
        "mask": mask,
        "take": take,
    }


def both_by_loop(given: dict) -> list[Tensor]:
    edge = given["edge"] if given["take"] is None else given["edge"][given["take"]]
    term = edge @ given["weight"].t()
    return [
        by_loop(Problem(given[source], term, given["graph"], toward, "sum", "relu", given["mask"], None))
        for toward, source in (("left", "right"), ("right", "left"))
        if given[source] is not None
    ]


def test_autocast_is_left_to_torch() -> None:
    graph = Bipartite(torch.tensor([0, 1]), torch.tensor([0, 0]), torch.tensor([0, 2]), 2, 1)
    edge, weight = torch.ones(2, 4), torch.eye(4)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        to_left, to_right = edge_messages(edge, weight, torch.zeros(1, 4), torch.zeros(1, 4), graph, torch.ones(2))
        updated = linear_edge_update(edge, weight, torch.zeros(1, 4), torch.zeros(1, 4), graph)
    assert to_left.dtype == torch.bfloat16
    assert to_left.tolist() == [[1.0] * 4] * 2
    assert to_right.tolist() == [[2.0] * 4]
    assert updated.tolist() == [[2.0] * 4] * 2


def test_what_is_wrong_is_named() -> None:
    graph = Bipartite(torch.tensor([0, 1]), torch.tensor([0, 0]), torch.tensor([0, 2]), 2, 1)
    edge, weight, row = torch.ones(2, 4), torch.eye(4), torch.zeros(1, 4)
    with pytest.raises(InputError, match=r"edge_messages: edge has shape \[3, 4\]"):
        edge_messages(torch.ones(3, 4), weight, row, row, graph)
    with pytest.raises(InputError, match=r"mask has shape \[3\]; expected \[2\] or \[2, 4\]"):
        edge_messages(edge, weight, row, row, graph, torch.ones(3))
    with pytest.raises(InputError, match=r"left has shape \[5, 4\]; expected \[2, 4\] or \[1, 4\]"):
        edge_messages(edge, weight, torch.zeros(5, 4), row, graph)
    with pytest.raises(InputError, match=r"unknown backend 'fused_gpu'\. Did you mean 'fused_cpu'"):
        edge_messages(edge, weight, row, row, graph, backend="fused_gpu")
