"""Every backend against the reference; what is refused; totals of masks and means from them."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from ops.problems import COMPARED, RELAXED, Problem, compare, max_error, needs, problems, with_gradients

from gdsfd.errors import InputError
from gdsfd.ops import Bipartite, aggregate, mask_total, normalised


@pytest.mark.parametrize("backend", COMPARED)
@RELAXED
@given(problem=problems())
def test_float64(backend: str, problem: Problem) -> None:
    compare(problem, needs(backend), with_gradients(problem, "reference"), 1e-10)


@pytest.mark.parametrize("backend", COMPARED)
@RELAXED
@given(problem=problems(dtype=torch.float32))
def test_float32(backend: str, problem: Problem) -> None:
    compare(problem, needs(backend), with_gradients(problem, "reference"), 1e-5)


GRAPH = Bipartite(torch.tensor([0, 1]), torch.tensor([0, 0]), torch.tensor([0, 2]), 2, 1)
NODE, EDGE = torch.zeros(1, 4), torch.zeros(2, 4)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"node": torch.zeros(3, 4)}, r"node has shape \[3, 4\]; expected \[1, C\] or \[1, C\]"),
        ({"edge": torch.zeros(2, 3)}, r"edge has shape \[2, 3\]; expected \[2, 4\] or None"),
        ({"mask": torch.ones(2, 2)}, r"mask has shape \[2, 2\]; expected \[2\] or \[2, 4\]"),
        ({"mask": torch.ones(2).double()}, "mask is torch.float64, node is torch.float32"),
        ({"score": torch.ones(2)}, "score goes with reduce='sum', not 'mean'"),
        ({"score": torch.ones(2, 3), "reduce": "sum"}, r"score has shape \[2, 3\]; .* H dividing 4"),
        ({"reduce": "median"}, "reduce is 'median'; expected one of 'sum', 'mean', 'max'"),
        ({"toward": "up"}, "toward is 'up'"),
        ({"activation": "gelu"}, "activation is 'gelu'"),
        ({"backend": "segmnt"}, r"unknown backend 'segmnt'. Did you mean 'segment'\?"),
    ],
)
def test_what_is_wrong_is_named(changed: dict, message: str) -> None:
    arguments = {"node": NODE, "edge": EDGE, "graph": GRAPH, "toward": "left"} | changed
    with pytest.raises(InputError, match=message):
        aggregate(**arguments)


def test_totals_of_masks() -> None:
    graph = Bipartite(torch.tensor([0, 1, 1]), torch.tensor([0, 0, 1]), torch.tensor([0, 2, 3]), 3, 2)
    assert mask_total(None, graph, "left").tolist() == [[1.0], [2.0], [0.0]]
    assert mask_total(torch.tensor([0.5, 1.0, 0.25]), graph, "left").tolist() == [[0.5], [1.25], [0.0]]
    assert mask_total(torch.tensor([[1.0, 0.0], [1.0, 0.5], [0.0, 1.0]]), graph, "right").tolist() == [
        [2.0, 0.5],
        [0.0, 1.0],
    ]


@pytest.mark.parametrize("rows", [0, 1, 5000])
@pytest.mark.parametrize("width", [1, 4])
def test_normalised(rows: int, width: int) -> None:
    generator = torch.Generator().manual_seed(0)
    total = torch.randn(rows, 4, dtype=torch.double, generator=generator).requires_grad_()
    norm = (torch.rand(rows, width, dtype=torch.double, generator=generator) + 0.1).requires_grad_()
    found, plain = normalised(total, norm), total / norm
    assert max_error(found, plain) < 1e-12
    above = torch.randn(rows, 4, dtype=torch.double, generator=generator)
    ways = [torch.autograd.grad(out, (total, norm), above) for out in (found, plain)]
    for got, expected in zip(*ways):
        assert max_error(got, expected) < 1e-10


def test_a_norm_of_zero_is_a_mean_of_zero() -> None:
    total = torch.tensor([[6.0], [0.0]], requires_grad=True)
    norm = torch.tensor([[2.0], [0.0]], requires_grad=True)
    out = normalised(total, norm)
    assert out.tolist() == [[3.0], [0.0]]
    out.sum().backward()
    assert total.grad.tolist() == [[0.5], [0.0]]
    assert norm.grad.tolist() == [[-1.5], [0.0]]


def test_a_tiny_norm_has_a_finite_gradient() -> None:
    """Its square is 0 in float32. The mean is 3 and falls by 3 per share of the norm."""
    norm = torch.tensor([[1e-25]], requires_grad=True)
    normalised(torch.tensor([[3e-25]]), norm).sum().backward()
    assert float(norm.grad) * 1e-25 == pytest.approx(-3.0, rel=1e-5)
