"""The network added to its input, against its formula: values, gradients, and which random numbers it draws."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from gdsfd.ops import dropout, residual_network


def inputs(rows: int, dtype: torch.dtype) -> list[Tensor]:
    generator = torch.Generator().manual_seed(4)
    shapes = [(rows, 6), (9, 6), (9,), (6, 9), (6,)]
    return [torch.randn(shape, generator=generator, dtype=torch.double).to(dtype).requires_grad_() for shape in shapes]


def formula(values: Tensor, *weights: Tensor, probability: float = 0.0, training: bool = False) -> Tensor:
    values = dropout(values, probability, training)
    hidden = dropout(F.gelu(F.linear(values, *weights[:2])), probability, training)
    return values + F.linear(hidden, *weights[2:])


@pytest.mark.parametrize("rows", [0, 1, 2, 5000])
@pytest.mark.parametrize("probability", [0.0, 0.3, 1.0])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-10), (torch.float32, 1e-4)])
def test_value_and_gradients(rows: int, probability: float, dtype: torch.dtype, tolerance: float) -> None:
    above = torch.randn(rows, 6, dtype=torch.double, generator=torch.Generator().manual_seed(5)).to(dtype)
    found = []
    for way in (residual_network, formula):
        leaves = inputs(rows, dtype)
        with torch.random.fork_rng():
            torch.manual_seed(6)
            out = way(*leaves, probability=probability, training=True)
            found.append((out, *torch.autograd.grad(out, leaves, above, allow_unused=True)))
    for got, expected in zip(*found, strict=True):
        assert (got is None) == (expected is None)
        if got is not None:
            torch.testing.assert_close(got, expected, atol=tolerance * (1 + rows**0.5), rtol=tolerance)


def test_nothing_is_dropped_outside_training() -> None:
    leaves = inputs(7, torch.float64)
    torch.testing.assert_close(residual_network(*leaves, probability=0.5), formula(*leaves))


@pytest.mark.parametrize("frozen", [[0], [1, 2], [3, 4], [0, 1, 2]])
def test_only_some_inputs_have_gradients(frozen: list[int]) -> None:
    found = []
    for way in (residual_network, formula):
        leaves = inputs(7, torch.float64)
        for number in frozen:
            leaves[number].requires_grad_(False)
        way(*leaves).sum().backward()
        found.append([leaf.grad for leaf in leaves])
    for number, (got, expected) in enumerate(zip(*found, strict=True)):
        assert (got is None) == (number in frozen)
        if got is not None:
            torch.testing.assert_close(got, expected)
