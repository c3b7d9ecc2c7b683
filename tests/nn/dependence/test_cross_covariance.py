"""Cross-covariance: its expectation for Gaussians, numpy, constant channels, and that it sees lines only."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gdsfd.nn.dependence import CrossCovariance
from tests.nn.dependence.gaussian_codes import gaussian_codes, mean_of_measure


@pytest.mark.parametrize(("d", "rho"), [(1, 0.5), (4, 0.8)])
def test_cross_covariance_of_gaussians(d, rho):
    assert mean_of_measure("xcov", d, rho) == pytest.approx(rho**2 / d, abs=0.02)


def test_cross_covariance_is_numpys_correlation():
    causal, biased = gaussian_codes(12, 3, 0.5, torch.Generator().manual_seed(0))
    correlation = np.corrcoef(causal.T.numpy(), biased.T.numpy())[:3, 3:]
    assert CrossCovariance(3, 3)(causal, biased).item() == pytest.approx((correlation**2 - 1 / 11).mean(), abs=1e-5)


def test_a_constant_channel_correlates_with_nothing():
    causal, biased = gaussian_codes(50, 2, 0.8, torch.Generator().manual_seed(0))
    both = CrossCovariance(2, 2)(causal, biased)
    padded = CrossCovariance(4, 2)(torch.cat([causal, torch.full((50, 2), 3.3)], dim=1), biased)
    torch.testing.assert_close(padded, both / 2)


def test_groups_by_their_rows_are_groups_in_fixed_shapes():
    generator = torch.Generator().manual_seed(2)
    codes = [torch.randn(30, 4, dtype=torch.double, generator=generator) for _ in range(2)]
    codes[0][:, 1] = 3.3  # does not vary
    codes[1][:12, 2] = -1.0  # does not vary in one group
    causal, biased = (each.requires_grad_() for each in codes)
    groups = [torch.arange(12), torch.arange(13, 29), torch.tensor([29]), torch.arange(0)]  # of one patient, of nobody
    inside = torch.zeros(4, 30, dtype=torch.double)
    for number, rows in enumerate(groups):
        inside[number, rows] = 1
    measure, above = CrossCovariance(4, 4), torch.randn(4, dtype=torch.double, generator=generator)
    found, expected = measure.among(causal, biased, groups), measure.within(causal, biased, inside)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-12)
    for one, other in zip(*(torch.autograd.grad(each, (causal, biased), above) for each in (found, expected))):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-12)


def test_what_is_not_linear_is_not_seen():
    causal = torch.randn(800, 1, generator=torch.Generator().manual_seed(0))
    assert abs(CrossCovariance(1, 1)(causal, causal**2)) < 0.05
