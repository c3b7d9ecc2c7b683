"""The reference against a loop over destinations, edges and channels, and its second derivatives."""

from __future__ import annotations

import torch
from hypothesis import given
from ops.problems import RELAXED, Problem, compare, crowd, problems, with_gradients
from torch import Tensor

from gdsfd.ops import aggregate


@RELAXED
@given(problem=problems())
def test_reference_is_the_loop(problem: Problem) -> None:
    compare(problem, "reference", with_gradients(problem, None), 1e-12)


def test_second_derivatives_of_the_reference() -> None:
    graph, edge, nodes, mask = crowd(num_left=4, channels=2)
    score = torch.randn(graph.num_edges, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    inputs = [tensor.clone().requires_grad_() for tensor in (nodes, edge, mask + 0.1, score)]

    def mean(node: Tensor, edge: Tensor, mask: Tensor, score: Tensor) -> Tensor:
        return aggregate(node, edge, graph, "right", "mean", mask=mask, backend="reference") ** 2

    def softmax(node: Tensor, edge: Tensor, mask: Tensor, score: Tensor) -> Tensor:
        return aggregate(node, edge, graph, "right", "sum", "none", mask=mask, score=score, backend="reference") ** 2

    for function in (mean, softmax):
        assert torch.autograd.gradcheck(function, inputs)
        assert torch.autograd.gradgradcheck(function, inputs)
