"""Products of rows by weights at the row counts where another way is taken, against torch's in float64."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from gdsfd.ops import linear
from gdsfd.ops.linear import filled, rows_by, weight_gradient

COUNTS = [0, 1, 2, 16, 17, 63, 64, 65, 128, 1000, 2047, 2049, 8191, 8193]


def numbers(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.double)


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("biased", [False, True])
@pytest.mark.parametrize("turned", [False, True])
def test_rows_by(count: int, biased: bool, turned: bool) -> None:
    rows, bias = numbers(count, 24), numbers(40, seed=2) if biased else None
    weight = numbers(24, 40, seed=1).t() if turned else numbers(40, 24, seed=1)
    got = rows_by(rows.float(), weight.float(), None if bias is None else bias.float())
    assert got.is_contiguous()
    torch.testing.assert_close(got.double(), F.linear(rows, weight, bias), atol=1e-4, rtol=1e-5)


@pytest.mark.parametrize("count", COUNTS)
def test_weight_gradient(count: int) -> None:
    gradient, rows, total = numbers(count, 40), numbers(count, 24, seed=1), numbers(40, 24, seed=2)
    expected = gradient.t() @ rows
    got = weight_gradient(gradient.float(), rows.float())
    torch.testing.assert_close(got.double(), expected, atol=1e-3, rtol=1e-4)
    added = weight_gradient(gradient.float(), rows.float(), total.float())
    torch.testing.assert_close(added.double(), expected + total, atol=1e-3, rtol=1e-4)


@pytest.mark.parametrize("count", [1, 2, 17, 70, 129])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_gradients(count: int, dtype: torch.dtype) -> None:
    found = []
    for way in (linear, F.linear):
        leaves = [numbers(count, 24), numbers(40, 24, seed=1), numbers(40, seed=2)]
        leaves = [leaf.to(dtype if way is linear else torch.double).requires_grad_() for leaf in leaves]
        out = way(*leaves)
        found.append((out, *torch.autograd.grad(out.square().sum(), leaves)))
    for got, expected in zip(*found, strict=True):
        torch.testing.assert_close(got.double(), expected, atol=1e-3, rtol=1e-4)


def test_a_row_does_not_depend_on_how_many_there_are() -> None:
    rows, weight = numbers(130, 24).float(), numbers(40, 24, seed=1).float()
    whole = rows_by(rows, weight)
    for count in (65, 100, 128):
        torch.testing.assert_close(rows_by(rows[:count], weight), whole[:count], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("count", [65, 100, 8191])
def test_filled_adds_zeros_only(count: int) -> None:
    rows = numbers(count, 3).float()
    whole = filled(rows)
    assert whole.size(0) % 64 == 0
    assert torch.equal(whole[:count], rows)
    assert not whole[count:].any()


@pytest.mark.parametrize("count", [0, 1, 63, 64, 128, 8192, 9000])
def test_filled_leaves_alone_what_needs_nothing(count: int) -> None:
    rows = numbers(count, 3).float()
    assert filled(rows) is rows
