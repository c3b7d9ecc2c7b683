"""Gradients where rounding would show, and of some inputs only."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from ops.backends.triton.cases import Case, compare, gradients

from gdsfd.ops import aggregate
from gdsfd.ops.bipartite import Bipartite


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("toward", ["left", "right"])
@pytest.mark.parametrize("kind", ["edge", "channel", "score"])
def test_weights_of_a_single_edge_have_no_gradient(kind: str, toward: str, dtype: torch.dtype) -> None:
    """A mean over one edge is its message, whatever the weight; the mean is not rounded before it is taken away."""
    count, channels = 8, 6
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
