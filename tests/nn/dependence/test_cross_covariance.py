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


def test_what_is_not_linear_is_not_seen():
    causal = torch.randn(800, 1, generator=torch.Generator().manual_seed(0))
    assert abs(CrossCovariance(1, 1)(causal, causal**2)) < 0.05
