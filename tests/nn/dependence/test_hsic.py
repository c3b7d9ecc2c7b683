"""HSIC: its closed form for Gaussians, what is not linear, and where there is no median distance."""

from __future__ import annotations

import math

import pytest
import torch

from gdsfd.nn.dependence import Hsic
from tests.nn.dependence.gaussian_codes import mean_of_measure


@pytest.mark.parametrize("rho", [0.3, 0.8])
def test_hsic_of_gaussians(rho):
    """Each of the three expectations is one over the root of a determinant; the median of |N(0, 2)| is known."""
    variance = 2 * 0.6744898**2  # of the kernel

    def expected_product(cross: float) -> float:
        determinant = (1 + 2 / variance) ** 2 - (cross / variance) ** 2
        return 1 / math.sqrt(determinant)

    def hsic(correlation: float) -> float:
        # k and l of the same pair; of unrelated pairs; of pairs with one patient in common.
        return expected_product(2 * correlation) + expected_product(0) - 2 * expected_product(correlation)

    assert mean_of_measure("hsic", 1, rho, normalize=False) == pytest.approx(hsic(rho), abs=0.003)
    assert mean_of_measure("hsic", 1, rho) == pytest.approx(hsic(rho) / hsic(1), abs=0.03)


def test_more_than_half_of_the_pairs_equal_have_a_bandwidth_still():
    causal = torch.zeros(20, 1)
    causal[:3] = torch.tensor([[1.0], [2.0], [3.0]])
    causal.requires_grad_()
    value = Hsic(1, 1)(causal, causal.detach())
    value.backward()
    assert value.item() == pytest.approx(1, abs=1e-4)
    assert torch.isfinite(causal.grad).all()


def test_what_is_not_linear_is_seen():
    causal = torch.randn(800, 1, generator=torch.Generator().manual_seed(0))
    assert Hsic(1, 1)(causal, causal**2) > 0.15
