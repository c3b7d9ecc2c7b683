"""The fused kernels against the reference, in Triton's interpreter.

Runs only in a process that was started with ``TRITON_INTERPRET=1``; ``test_triton.py`` starts one.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace

import pytest
import torch
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from torch import Tensor

from gdsfd.errors import InputError
from gdsfd.ops import aggregate, edge_update
from gdsfd.ops.bipartite import Bipartite

if os.environ.get("TRITON_INTERPRET") != "1":
    pytest.skip("needs a process with TRITON_INTERPRET=1, which test_triton.py starts", allow_module_level=True)


@dataclass(frozen=True)
class Case:
    """An aggregation, drawn from a seed."""

    left: int = 5
    right: int = 3
    edges: int = 12
    channels: int = 4
    toward: str = "left"
    reduce: str = "mean"
    activation: str = "relu"
    mask: str = "none"  # none | edge | channel; a third of its values is 0, a third 1
    heads: int = 0  # 0: no score, -1: a score of one dimension
    one_node: bool = False
    edge: bool = True
    tied: bool = False  # values are small whole numbers, so that many are equal
    seed: int = 0
    dtype: torch.dtype = torch.float64

    def graph(self) -> Bipartite:
        draw = torch.Generator().manual_seed(self.seed)
        edges = self.edges if self.left and self.right else 0
        left = torch.randint(max(self.left, 1), (edges,), generator=draw)
        right = torch.randint(max(self.right, 1), (edges,), generator=draw)
        return Bipartite.from_edges(left, right, self.left, self.right)[0]

    def inputs(self, graph: Bipartite) -> dict[str, Tensor]:
        draw = torch.Generator().manual_seed(self.seed + 1)

        def values(*shape: int) -> Tensor:
            drawn = torch.randn(shape, generator=draw, dtype=torch.float64)
            return (drawn.round() if self.tied else drawn).to(self.dtype).requires_grad_()

        sources = 1 if self.one_node else graph.num_nodes("right" if self.toward == "left" else "left")
        found = {"node": values(sources, self.channels)}
        if self.edge:
            found["edge"] = values(graph.num_edges, self.channels)
        if self.mask != "none":
            shape = (graph.num_edges, self.channels) if self.mask == "channel" else (graph.num_edges,)
            third = torch.randint(3, shape, generator=draw)
            drawn = torch.rand(shape, generator=draw, dtype=torch.float64).to(self.dtype)
            found["mask"] = torch.where(third == 0, 0, torch.where(third == 1, 1, drawn)).requires_grad_()
        if self.heads:
            found["score"] = values(graph.num_edges, *([self.heads] if self.heads > 0 else []))
        return found

    def run(self, backend: str, inputs: dict[str, Tensor], graph: Bipartite) -> dict[str, Tensor]:
        """The result and the gradients of all inputs."""
        out = aggregate(
            inputs["node"],
            inputs.get("edge"),
            graph,
            toward=self.toward,
            reduce="sum" if self.heads else self.reduce,
            activation=self.activation,
            mask=inputs.get("mask"),
            score=inputs.get("score"),
            backend=backend,
        )
        return {"out": out.detach()} | gradients(out, inputs)


def gradients(out: Tensor, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
    draw = torch.Generator().manual_seed(7)
    grad = torch.randn(out.shape, generator=draw, dtype=torch.float64).to(out.dtype)
    if not out.requires_grad:  # the reference's maximum over no edges at all
        return {name: torch.zeros_like(x) for name, x in inputs.items()}
    return dict(zip(inputs, torch.autograd.grad(out, list(inputs.values()), grad, materialize_grads=True)))


def compare(found: dict[str, Tensor], expected: dict[str, Tensor], tolerance: float) -> None:
    """Relative to the largest value, as sums of different order differ in their rounding by that."""
    assert list(found) == list(expected)
    for name, value in expected.items():
        assert found[name].dtype == value.dtype
        scale = max(1.0, value.abs().max().item() if value.numel() else 0.0)
        far = (found[name] - value).abs().max().item() if value.numel() else 0.0
        assert found[name].shape == value.shape
        assert far <= tolerance * scale, f"{name} is off by {far:.3g}, at values of up to {scale:.3g}"


def check(case: Case, tolerance: float = 1e-10) -> None:
    graph = case.graph()
    inputs = case.inputs(graph)
    compare(case.run("triton", inputs, graph), case.run("reference", inputs, graph), tolerance)


CASES = st.builds(
    Case,
    left=st.integers(0, 7),
    right=st.integers(0, 5),
    edges=st.integers(0, 24),
    channels=st.sampled_from([1, 2, 3, 6]),
    toward=st.sampled_from(["left", "right"]),
    reduce=st.sampled_from(["sum", "mean", "max"]),
    activation=st.sampled_from(["relu", "none"]),
    mask=st.sampled_from(["none", "edge", "channel"]),
    heads=st.sampled_from([0, 0, 0, -1, 1]),
    one_node=st.booleans(),
    edge=st.booleans(),
    tied=st.booleans(),
    seed=st.integers(0, 10_000),
)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(CASES)
@example(Case(left=0, right=0))
@example(Case(left=4, right=2, edges=0))
@example(Case(left=4, right=2, edges=0, toward="right", mask="edge", heads=2))
@example(Case(left=1, right=3, edges=3, toward="right"))
def test_equals_the_reference(case: Case) -> None:
    check(case)


# Hubs of more edges than a piece has (64), channels of more than one block (128), heads that straddle blocks.
LARGE = [
    Case(left=80, right=2, edges=300, channels=3),
    Case(left=80, right=2, edges=300, channels=3, toward="right", mask="edge"),
    Case(left=80, right=2, edges=300, channels=3, toward="right", mask="channel", reduce="sum"),
    Case(left=80, right=2, edges=300, channels=3, toward="right", mask="edge", reduce="max", tied=True),
    Case(left=80, right=2, edges=300, channels=3, toward="left", reduce="max", tied=True, mask="channel"),
    Case(left=80, right=2, edges=300, channels=6, toward="right", heads=3, mask="edge"),
    Case(left=80, right=2, edges=300, channels=3, toward="left", one_node=True, reduce="sum"),
    Case(left=80, right=2, edges=300, channels=3, toward="right", one_node=True, mask="edge"),
    Case(left=6, right=3, edges=20, channels=130, toward="left", mask="edge"),
    Case(left=6, right=3, edges=20, channels=130, toward="right", mask="channel"),
    Case(left=6, right=3, edges=20, channels=130, toward="left", heads=10, mask="edge"),
    Case(left=6, right=3, edges=20, channels=130, toward="right", heads=10),
    Case(left=6, right=3, edges=20, channels=130, toward="right", heads=10, mask="channel"),
    Case(left=6, right=3, edges=20, channels=130, toward="right", reduce="max", mask="channel"),
]


@pytest.mark.parametrize("case", LARGE, ids=str)
def test_many_pieces_and_blocks(case: Case) -> None:
    check(case)


SOME = [
    Case(left=20, right=3, edges=90, channels=5, toward=toward, reduce=reduce, mask=mask, heads=heads)
    for toward in ("left", "right")
    for reduce, mask, heads in (("sum", "edge", 0), ("mean", "channel", 0), ("max", "edge", 0), ("sum", "none", 5))
]


@pytest.mark.parametrize("case", SOME, ids=str)
def test_float32(case: Case) -> None:
    check(replace(case, dtype=torch.float32), 1e-5)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("case", SOME, ids=str)
def test_half_precision_is_near_float32(case: Case, dtype: torch.dtype) -> None:
    graph = case.graph()
    inputs = {name: x.detach().to(dtype).requires_grad_() for name, x in case.inputs(graph).items()}
    wide = {name: x.detach().float().requires_grad_() for name, x in inputs.items()}
    found = case.run("triton", inputs, graph)
    assert {value.dtype for value in found.values()} == {dtype}
    compare({name: x.float() for name, x in found.items()}, case.run("reference", wide, graph), 2e-2)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("toward", ["left", "right"])
@pytest.mark.parametrize("kind", ["edge", "channel", "score"])
def test_weights_of_a_single_edge_have_no_gradient(kind: str, toward: str, dtype: torch.dtype) -> None:
    """A mean over one edge is its message, whatever the weight; the mean is not rounded before it is taken away."""
    count, channels = 20, 6
    every = torch.arange(count)
    graph = Bipartite.from_edges(every, every, count, count)[0]
    draw = torch.Generator().manual_seed(0)
    node, edge = (torch.randn(count, channels, generator=draw).to(dtype) for _ in range(2))
    shape = {"edge": (count,), "channel": (count, channels), "score": (count, 2)}[kind]
    weight = torch.rand(shape, generator=draw).to(dtype).requires_grad_()
    named = {"score": weight, "reduce": "sum"} if kind == "score" else {"mask": weight, "reduce": "mean"}
    out = aggregate(node, edge, graph, toward, activation="none", backend="triton", **named)
    assert out.dtype == dtype
    above = torch.randn(out.shape, generator=draw).to(dtype)
    (gradient,) = torch.autograd.grad(out, weight, above)
    assert gradient.dtype == dtype
    assert gradient.abs().max() < 1e-4


def test_sums_of_half_precision_are_in_float32() -> None:
    # 1,000 ones: a sum in bfloat16 would stand still at 256.
    graph = Bipartite.from_edges(torch.arange(1000), torch.zeros(1000, dtype=torch.long), 1000, 1)[0]
    node = torch.ones(1, 2, dtype=torch.bfloat16)
    assert aggregate(node, None, graph, "right", "sum", backend="triton").tolist() == [[1000.0, 1000.0]]


@pytest.mark.parametrize("toward", ["left", "right"])
def test_ties_go_to_the_first_edge(toward: str) -> None:
    graph = Bipartite.from_edges(torch.zeros(100, dtype=torch.long), torch.zeros(100, dtype=torch.long), 1, 1)[0]
    edge = torch.full((100, 1), 2.0)
    edge[:70] = 1.0  # the first of the largest lies in the second piece
    edge.requires_grad_()
    out = aggregate(torch.zeros(1, 1), edge, graph, toward, "max", backend="triton")
    assert out.item() == 2
    (grad,) = torch.autograd.grad(out.sum(), edge)
    assert grad.nonzero()[:, 0].tolist() == [70]


@pytest.mark.parametrize("value", [float("inf"), float("-inf"), float("nan")])
@pytest.mark.parametrize("reduce", ["sum", "mean", "max"])
@pytest.mark.parametrize("toward", ["left", "right"])
@pytest.mark.parametrize("activation", ["relu", "none"])
def test_infinities_and_nan_stay_in_their_group(value: float, reduce: str, toward: str, activation: str) -> None:
    case = Case(left=4, right=4, edges=14, toward=toward, reduce=reduce, activation=activation)
    graph = case.graph()
    inputs = {name: x.detach() for name, x in case.inputs(graph).items()}
    inputs["edge"][3, 1] = value
    results = [
        aggregate(inputs["node"], inputs["edge"], graph, toward, reduce, activation, backend=backend)
        for backend in ("triton", "reference")
    ]
    torch.testing.assert_close(*results, equal_nan=True)
    if activation == "none" and (reduce != "max" or value != float("-inf")):
        assert (~results[0].isfinite()).sum() == 1


def test_largest_message_may_be_minus_infinity() -> None:
    graph = Bipartite.from_edges(torch.tensor([0, 1]), torch.tensor([0, 0]), 3, 1)[0]
    edge = torch.tensor([[float("-inf")], [-1.0]])
    out = aggregate(torch.zeros(1, 1), edge, graph, "left", "max", "none", backend="triton")
    assert out.tolist() == [[float("-inf")], [-1.0], [0.0]]


@pytest.mark.parametrize("mask", ["none", "edge"])
@pytest.mark.parametrize("toward", ["left", "right"])
def test_scores_of_minus_infinity(toward: str, mask: str) -> None:
    case = Case(left=4, right=3, edges=14, channels=4, toward=toward, heads=2, mask=mask)
    graph = case.graph()
    inputs = case.inputs(graph)
    score = inputs["score"].detach()
    score[graph.ends(toward) == 1] = float("-inf")  # a whole group
    score[0, 1] = float("-inf")
    inputs["score"] = score.requires_grad_()
    found = case.run("triton", inputs, graph)
    compare(found, case.run("reference", inputs, graph), 1e-10)
    assert (found["out"][1] == 0).all()


def test_large_scores() -> None:
    case = Case(left=4, right=3, edges=14, heads=1, dtype=torch.float32, mask="edge")
    graph = case.graph()
    inputs = case.inputs(graph)
    inputs["score"] = (inputs["score"].detach() * 1000).requires_grad_()
    compare(case.run("triton", inputs, graph), case.run("reference", inputs, graph), 1e-5)


@pytest.mark.parametrize("toward", ["left", "right"])
@pytest.mark.parametrize("reduce", ["sum", "mean", "max"])
def test_same_bits_each_time(toward: str, reduce: str) -> None:
    case = Case(left=20, right=2, edges=140, channels=5, toward=toward, reduce=reduce, mask="edge", dtype=torch.float32)
    runs = []
    for _ in range(2):
        graph = case.graph()
        runs.append(case.run("triton", case.inputs(graph), graph))
    for name, value in runs[0].items():
        assert torch.equal(value, runs[1][name])


def test_inputs_that_are_not_contiguous() -> None:
    case = Case(left=6, right=3, edges=15, channels=4, mask="channel")
    graph = case.graph()
    inputs = case.inputs(graph)
    twisted = {name: x.detach().t().contiguous().t().requires_grad_() for name, x in inputs.items()}
    assert not twisted["edge"].is_contiguous()
    compare(case.run("triton", twisted, graph), case.run("reference", inputs, graph), 1e-10)


def test_gradients_of_some_inputs_only() -> None:
    case = Case(left=6, right=3, edges=15, channels=4, mask="edge")
    graph = case.graph()
    inputs = case.inputs(graph)
    for toward in ("left", "right"):
        for wanted in inputs:
            some = {name: x.detach().requires_grad_(name == wanted) for name, x in inputs.items()}
            one = replace(case, toward=toward)
            if toward == "right":
                some["node"] = inputs["node"].detach()[:1].requires_grad_(wanted == "node")
            results = []
            for backend in ("triton", "reference"):
                out = aggregate(some["node"], some["edge"], graph, one.toward, mask=some["mask"], backend=backend)
                results.append(gradients(out, {wanted: some[wanted]}))
            compare(*results, 1e-10)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(
    CASES.filter(lambda case: case.channels < 6),
    st.booleans(),
    st.booleans(),
    st.booleans(),
)
@example(Case(left=90, right=2, edges=300, channels=3), True, False, False)
@example(Case(left=90, right=2, edges=300, channels=3), True, True, True)
@example(Case(left=5, right=2, edges=9, channels=130), True, False, False)
def test_edge_update_equals_the_reference(case: Case, residual: bool, one_left: bool, one_right: bool) -> None:
    graph = case.graph()
    draw = torch.Generator().manual_seed(case.seed)
    sizes = {
        "left": 1 if one_left else graph.num_left,
        "right": 1 if one_right else graph.num_right,
        "edge": graph.num_edges,
    } | ({"residual": graph.num_edges} if residual else {})
    inputs = {
        name: torch.randn(size, case.channels, dtype=torch.float64, generator=draw, requires_grad=True)
        for name, size in sizes.items()
    }
    results = []
    for backend in ("triton", "reference"):
        out = edge_update(
            inputs["left"], inputs["right"], inputs["edge"], inputs.get("residual"), graph, case.activation, backend
        )
        results.append({"out": out.detach()} | gradients(out, inputs))
    compare(*results, 1e-10)


def test_edge_update_in_half_precision() -> None:
    graph = Case(left=20, right=3, edges=90).graph()
    draw = torch.Generator().manual_seed(0)
    wide = {
        name: torch.randn(size, 5, generator=draw).bfloat16().float().requires_grad_()
        for name, size in (("left", 20), ("right", 3), ("edge", 90), ("residual", 90))
    }
    narrow = {name: x.detach().bfloat16().requires_grad_() for name, x in wide.items()}
    results = []
    for backend, inputs in (("triton", narrow), ("reference", wide)):
        out = edge_update(*inputs.values(), graph, backend=backend)
        assert out.dtype == inputs["edge"].dtype
        results.append({"out": out.detach().float()} | {n: g.float() for n, g in gradients(out, inputs).items()})
    compare(*results, 2e-2)


def test_integers_are_refused() -> None:
    graph = Case().graph()
    with pytest.raises(InputError, match=r"'triton' takes floating-point tensors, got torch.int64"):
        aggregate(torch.ones(3, 2, dtype=torch.long), None, graph, "left", "sum", "none", backend="triton")


def test_second_derivatives_are_refused() -> None:
    graph = Case().graph()
    node = torch.ones(3, 2, requires_grad=True)
    out = aggregate(node, None, graph, "left", backend="triton")
    (grad,) = torch.autograd.grad(out.square().sum(), node, create_graph=True)
    with pytest.raises(RuntimeError, match="differentiate twice"):
        grad.sum().backward()
