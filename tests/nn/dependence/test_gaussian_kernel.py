"""The Gaussian kernel against a loop over pairs; its bandwidth follows the codes."""

from __future__ import annotations

import math

import torch

from gdsfd.nn.dependence.gaussian_kernel import gaussian_kernel


def test_every_pair_by_the_median_distance() -> None:
    codes = torch.randn(7, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    distance = {(i, j): math.dist(codes[i].tolist(), codes[j].tolist()) for i in range(7) for j in range(7)}
    ordered = sorted(distance[i, j] for i in range(7) for j in range(i))
    median = ordered[(len(ordered) - 1) // 2]
    expected = [[math.exp(-(distance[i, j] ** 2) / (2 * median**2)) for j in range(7)] for i in range(7)]
    torch.testing.assert_close(gaussian_kernel(codes), torch.tensor(expected, dtype=torch.float64))


def test_shrinking_changes_neither_value_nor_loss() -> None:
    codes = torch.randn(6, 2, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    torch.testing.assert_close(gaussian_kernel(0.01 * codes), gaussian_kernel(codes))
    size = torch.ones((), dtype=torch.float64, requires_grad=True)
    gaussian_kernel(size * codes).sum().backward()
    assert size.grad is not None
    assert abs(float(size.grad)) < 0.5  # the mean's gradient at the median's scale
    fixed = torch.exp(-((size * codes).unsqueeze(1) - size * codes).square().sum(-1) / 2)
    (slope,) = torch.autograd.grad(fixed.sum(), size)
    assert abs(float(slope)) > 5  # with a bandwidth that does not follow


def test_codes_that_are_all_alike() -> None:
    torch.testing.assert_close(gaussian_kernel(torch.ones(4, 2)), torch.ones(4, 4))
