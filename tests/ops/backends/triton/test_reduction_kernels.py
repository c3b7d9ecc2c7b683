"""Sums in single precision at least, ties, infinities and NaN, and the same bits every time."""

from __future__ import annotations

import pytest
import torch
from ops.backends.triton.cases import Case

from gdsfd.ops import aggregate
from gdsfd.ops.bipartite import Bipartite


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


@pytest.mark.parametrize("toward", ["left", "right"])
@pytest.mark.parametrize("reduce", ["sum", "mean", "max"])
def test_same_bits_each_time(toward: str, reduce: str) -> None:
    case = Case(left=8, right=2, edges=140, channels=3, toward=toward, reduce=reduce, mask="edge", dtype=torch.float32)
    runs = []
    for _ in range(2):
        graph = case.graph()
        runs.append(case.run("triton", case.inputs(graph), graph))
    for name, value in runs[0].items():
        assert torch.equal(value, runs[1][name])
