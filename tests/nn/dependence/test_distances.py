"""Squared distances against differences, in value and gradient; rows that are alike."""

from __future__ import annotations

import pytest
import torch

from gdsfd.nn.dependence.distances import squared_distances


@pytest.mark.parametrize("shift", [0.0, 100.0])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_equals_differences(dtype, shift):
    codes = (torch.randn(30, 7, generator=torch.Generator().manual_seed(0), dtype=dtype) + shift).requires_grad_()
    weight = torch.rand(30, 30, generator=torch.Generator().manual_seed(1), dtype=dtype)
    slow = ((codes.unsqueeze(0) - codes.unsqueeze(1)) ** 2).sum(-1)
    fast = squared_distances(codes)
    torch.testing.assert_close(fast, slow, rtol=1e-4, atol=1e-4)
    expected, found = (torch.autograd.grad((weight * each).sum(), codes)[0] for each in (slow, fast))
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("value", [0.1, -1e4])
@pytest.mark.parametrize("width", [1, 129])
def test_rows_that_are_alike_are_at_zero(value, width):
    codes = torch.full((101, width), value, requires_grad=True)
    squared = squared_distances(codes)
    assert not squared.any()
    squared.sum().backward()
    assert not codes.grad.any()


def test_single_precision_under_autocast():
    codes = torch.randn(20, 5, generator=torch.Generator().manual_seed(0))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        torch.testing.assert_close(squared_distances(codes), squared_distances(codes.double()).float())
    assert squared_distances(codes.bfloat16()).dtype == torch.float32
