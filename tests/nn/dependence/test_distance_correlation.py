"""Distance correlation: its closed form for Gaussians, and what is not linear."""

from __future__ import annotations

import math

import pytest
import torch

from gdsfd.nn.dependence import DistanceCorrelation
from tests.nn.dependence.gaussian_codes import mean_of_measure


@pytest.mark.parametrize("rho", [0.3, 0.8])
def test_distance_correlation_of_gaussians(rho):
    """Theorem 7 of Székely, Rizzo and Bakirov, Annals of Statistics 35 (2007)."""
    top = rho * math.asin(rho) + math.sqrt(1 - rho**2) - rho * math.asin(rho / 2) - math.sqrt(4 - rho**2) + 1
    assert mean_of_measure("dcor", 1, rho) == pytest.approx(top / (1 + math.pi / 3 - math.sqrt(3)), abs=0.03)


def test_what_is_not_linear_is_seen():
    causal = torch.randn(800, 1, generator=torch.Generator().manual_seed(0))
    assert DistanceCorrelation(1, 1)(causal, causal**2) > 0.15


def test_shifted_turned_and_scaled_is_one():
    causal = torch.randn(40, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    turn = torch.tensor([[0.6, -0.8], [0.8, 0.6]], dtype=torch.float64)
    assert DistanceCorrelation(2, 2)(causal, 3 * causal @ turn + 5).item() == pytest.approx(1)
