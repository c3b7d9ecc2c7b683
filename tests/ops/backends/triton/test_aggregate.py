"""Aggregations against the reference."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from hypothesis import HealthCheck, example, given, settings
from ops.backends.triton.cases import CASES, SOME, Case, check, compare

from gdsfd.ops import aggregate


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(CASES)
@example(Case(left=0, right=0))
@example(Case(left=4, right=2, edges=0))
@example(Case(left=4, right=2, edges=0, toward="right", mask="edge", heads=2))
@example(Case(left=1, right=3, edges=3, toward="right"))
def test_equals_the_reference(case: Case) -> None:
    check(case)


# Hubs of more edges than a piece has (64), channels of more than one block (128), heads that straddle blocks.
LARGE = [
    Case(left=80, right=2, edges=200, channels=3),
    Case(left=80, right=2, edges=200, channels=3, toward="right", mask="edge"),
    Case(left=80, right=2, edges=200, channels=3, toward="right", mask="channel", reduce="sum"),
    Case(left=80, right=2, edges=200, channels=3, toward="right", mask="edge", reduce="max", tied=True),
    Case(left=80, right=2, edges=200, channels=3, toward="left", reduce="max", tied=True, mask="channel"),
    Case(left=80, right=2, edges=200, channels=6, toward="right", heads=3, mask="edge"),
    Case(left=80, right=2, edges=200, channels=3, toward="left", one_node=True, reduce="sum"),
    Case(left=80, right=2, edges=200, channels=3, toward="right", one_node=True, mask="edge"),
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


def test_inputs_that_are_not_contiguous() -> None:
    case = Case(left=6, right=3, edges=15, channels=4, mask="channel")
    graph = case.graph()
    inputs = case.inputs(graph)
    twisted = {name: x.detach().t().contiguous().t().requires_grad_() for name, x in inputs.items()}
    assert not twisted["edge"].is_contiguous()
    compare(case.run("triton", twisted, graph), case.run("reference", inputs, graph), 1e-10)


def test_second_derivatives_are_refused() -> None:
    graph = Case().graph()
    node = torch.ones(3, 2, requires_grad=True)
    out = aggregate(node, None, graph, "left", backend="triton")
    (grad,) = torch.autograd.grad(out.square().sum(), node, create_graph=True)
    with pytest.raises(RuntimeError, match="differentiate twice"):
        grad.sum().backward()


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
