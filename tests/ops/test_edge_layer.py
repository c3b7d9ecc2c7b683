"""A layer's fused passes against the operations they are made of; edge updates of every backend."""

from __future__ import annotations

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ops.problems import DEGREES, max_error, random_graph
from torch import Tensor

from gdsfd.errors import InputError
from gdsfd.ops import Bipartite, edge_messages, edge_update, linear, linear_edge_update, mask_total
from gdsfd.ops.backends import BACKENDS, available
from gdsfd.ops.pieces import pieces

RELAXED = settings(deadline=None, max_examples=40, suppress_health_check=list(HealthCheck))
UPDATERS = [name for name in BACKENDS if name != "triton" and name in available()]


def leaf(*shape: int, generator: torch.Generator, dtype: torch.dtype) -> Tensor:
    return torch.randn(*shape, dtype=dtype, generator=generator).requires_grad_()


def results(outputs: list[Tensor], leaves: list[Tensor]) -> list[Tensor]:
    """Values, and gradients of a weighted sum of them."""
    generator = torch.Generator().manual_seed(0)
    loss = sum((out * torch.randn(out.shape, dtype=out.dtype, generator=generator)).sum() for out in outputs)
    gradients = torch.autograd.grad(loss, leaves, allow_unused=True)
    return [*outputs, *(torch.zeros_like(one) if of is None else of for one, of in zip(leaves, gradients))]


def assert_close(got: list[Tensor], expected: list[Tensor], tolerance: float) -> None:
    for one, other in zip(got, expected, strict=True):
        assert one.shape == other.shape
        assert max_error(one, other) < tolerance


@RELAXED
@given(
    sizes=st.tuples(st.integers(1, 9), st.integers(1, 4), st.integers(1, 5)),
    degrees=st.sampled_from(DEGREES),
    mask_kind=st.sampled_from(["none", "edge", "channel", "hard"]),
    common=st.booleans(),
    wanted=st.sampled_from(["both", "left", "right"]),
    double=st.booleans(),
    seed=st.integers(0, 100_000),
)
def test_messages(
    sizes: tuple[int, int, int], degrees: str, mask_kind: str, common: bool, wanted: str, double: bool, seed: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    graph = random_graph(sizes[0], sizes[1], degrees, generator)
    check_messages(graph, sizes[2], mask_kind, common, wanted, double, generator)


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("mask_kind", ["none", "edge", "channel"])
@pytest.mark.parametrize("common", [False, True])
@pytest.mark.parametrize(("patients", "hubs"), [(6000, 2), (600, 30)])
def test_messages_in_several_pieces(mask_kind: str, common: bool, patients: int, hubs: int) -> None:
    generator = torch.Generator().manual_seed(3)
    graph = random_graph(patients, hubs, "one hub has all", generator)
    assert len(pieces(graph)) > 2
    for double in (False, True):
        check_messages(graph, 8, mask_kind, common, "both", double, generator)


def check_messages(
    graph: Bipartite,
    channels: int,
    mask_kind: str,
    common: bool,
    wanted: str,
    double: bool,
    generator: torch.Generator,
) -> None:
    dtype, tolerance = (torch.float64, 1e-10) if double else (torch.float32, 1e-5)
    edge = leaf(graph.num_edges, channels, generator=generator, dtype=dtype)
    weight = leaf(channels, channels, generator=generator, dtype=dtype)
    left = leaf(1 if common else graph.num_left, channels, generator=generator, dtype=dtype)
    right = leaf(graph.num_right, channels, generator=generator, dtype=dtype)
    leaves, mask = [edge, weight, left, right], None
    if mask_kind != "none":
        size = (graph.num_edges,) if mask_kind == "edge" else (graph.num_edges, channels)
        mask = torch.rand(size, dtype=dtype, generator=generator)
        mask = (mask.round() if mask_kind == "hard" else mask).requires_grad_()
        leaves.append(mask)
    tables = (left if wanted != "left" else None, right if wanted != "right" else None)

    def run(backend: str) -> list[Tensor]:
        both = edge_messages(edge, weight, *tables, graph, mask, backend)
        assert [total is None for total in both] == [wanted == "right", wanted == "left"]
        return results([total for total in both if total is not None], leaves)

    assert_close(run("auto"), run("reference"), tolerance)


@RELAXED
@given(
    sizes=st.tuples(st.integers(1, 9), st.integers(1, 4), st.integers(1, 5)),
    degrees=st.sampled_from(DEGREES),
    common=st.booleans(),
    residual=st.booleans(),
    activation=st.sampled_from(["relu", "none"]),
    seed=st.integers(0, 100_000),
)
def test_edge_updates(
    sizes: tuple[int, int, int], degrees: str, common: bool, residual: bool, activation: str, seed: int
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
        plain = left[[0] * graph.num_edges] if common else left[graph.left]
        plain = plain + right[graph.right] + edge
        plain = torch.relu(plain) if activation == "relu" else plain
        expected = results([plain if old is None else plain + old], leaves)
        for backend in (*UPDATERS, "auto"):
            out = edge_update(left, right, edge, old, graph, activation, backend)
            assert_close(results([out], leaves), expected, tolerance)
        fused = [
            results([linear_edge_update(edge, weight, left, right, graph, backend)], [*leaves, weight])
            for backend in ("auto", "reference")
        ]
        assert_close(*fused, tolerance)


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize(("patients", "hubs"), [(6000, 2), (600, 30)])
def test_edge_update_in_several_pieces(patients: int, hubs: int) -> None:
    generator = torch.Generator().manual_seed(4)
    graph = random_graph(patients, hubs, "one hub has all", generator)
    for dtype, tolerance in ((torch.float64, 1e-10), (torch.float32, 1e-5)):
        sizes = [(graph.num_edges, 8), (8, 8), (patients, 8), (hubs, 8)]
        leaves = [leaf(*size, generator=generator, dtype=dtype) for size in sizes]
        fused = [
            results([linear_edge_update(*leaves, graph, backend)], leaves) for backend in ("auto", "segment", "pyg")
        ]
        assert_close(fused[0], fused[2], tolerance)
        assert_close(fused[1], fused[2], tolerance)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("rows", [0, 1, 2, 5000])
def test_linear(dtype: torch.dtype, rows: int) -> None:
    generator = torch.Generator().manual_seed(5)
    wide = torch.randn(rows, 12, dtype=dtype, generator=generator)
    tolerance = 1e-5 if dtype == torch.float32 else 1e-12
    for values in (wide[:, :6], wide[:, ::2]):  # neither is contiguous
        leaves = [values.detach().requires_grad_(), leaf(4, 6, generator=generator, dtype=dtype)]
        leaves.append(leaf(4, generator=generator, dtype=dtype))
        got = results([linear(*leaves)], leaves)
        assert_close(got, results([torch.nn.functional.linear(*leaves)], leaves), tolerance)


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


def test_totals_of_masks() -> None:
    graph = Bipartite(torch.tensor([0, 1, 1]), torch.tensor([0, 0, 1]), torch.tensor([0, 2, 3]), 3, 2)
    assert mask_total(None, graph, "left").tolist() == [[1.0], [2.0], [0.0]]
    assert mask_total(torch.tensor([0.5, 1.0, 0.25]), graph, "left").tolist() == [[0.5], [1.25], [0.0]]
    assert mask_total(torch.tensor([[1.0, 0.0], [1.0, 0.5], [0.0, 1.0]]), graph, "right").tolist() == [
        [2.0, 0.5],
        [0.0, 1.0],
    ]


def test_what_is_wrong_is_named() -> None:
    graph = Bipartite(torch.tensor([0, 1]), torch.tensor([0, 0]), torch.tensor([0, 2]), 2, 1)
    edge, weight, row = torch.ones(2, 4), torch.eye(4), torch.zeros(1, 4)
    with pytest.raises(InputError, match=r"edge_messages: edge has shape \[3, 4\]"):
        edge_messages(torch.ones(3, 4), weight, row, row, graph)
    with pytest.raises(InputError, match=r"mask has shape \[3\]; expected \[2\] or \[2, 4\]"):
        edge_messages(edge, weight, row, row, graph, torch.ones(3))
    with pytest.raises(InputError, match=r"left has shape \[5, 4\]; expected \[2, 4\] or \[1, 4\]"):
        edge_messages(edge, weight, torch.zeros(5, 4), row, graph)
    with pytest.raises(InputError, match=r"edge_update: right has shape \[1, 3\]"):
        edge_update(row, torch.zeros(1, 3), edge, None, graph)
    with pytest.raises(InputError, match=r"edge_update: residual has shape \[1, 4\]; expected \[2, 4\]"):
        edge_update(row, row, edge, row, graph)
    with pytest.raises(InputError, match="activation is 'gelu'"):
        edge_update(row, row, edge, None, graph, "gelu")


@pytest.mark.parametrize("mask_kind", ["none", "edge", "channel"])
@pytest.mark.parametrize(("patients", "hubs"), [(40, 3), (6000, 2)])
def test_edges_that_share_a_row(mask_kind: str, patients: int, hubs: int) -> None:
    """As the edges' own copies of the row, whose gradients add up."""
    generator = torch.Generator().manual_seed(8)
    graph = random_graph(patients, hubs, "uneven", generator)
    rows = max(1, graph.num_edges // 2)
    take = torch.randint(0, rows, (graph.num_edges,), generator=generator)
    make = lambda *shape: leaf(*shape, generator=generator, dtype=torch.double)  # noqa: E731
    edge, weight, left, right = make(rows, 4), make(4, 4), make(1, 4), make(hubs, 4)
    mask = {
        "none": None,
        "edge": torch.rand(graph.num_edges, dtype=torch.double, generator=generator),
        "channel": torch.rand(graph.num_edges, 4, dtype=torch.double, generator=generator),
    }[mask_kind]
    found = []
    for own, place in ((edge, take), (edge[take], None)):
        left_total, right_total = edge_messages(own, weight, left, right, graph, mask, take=place)
        assert left_total is not None
        assert right_total is not None
        updated = linear_edge_update(own, weight, left, right, graph, take=place)
        found.append(results([left_total, right_total, updated], [edge, weight, left, right]))
    assert_close(*found, 1e-10)
    backends = edge_messages(edge, weight, left, right, graph, mask, "reference", take)
    assert_close([one for one in backends if one is not None], found[1][:2], 1e-10)
    assert_close([linear_edge_update(edge, weight, left, right, graph, "reference", take)], found[1][2:3], 1e-10)
