"""Dependence measures: closed forms for Gaussians, order, independence, what they see and what not."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from gdsfd.errors import InputError
from gdsfd.nn.dependence import CrossCovariance, DistanceCorrelation, Hsic, Orthogonality
from tests.nn.dependence.gaussian_codes import build, gaussian_codes

MEASURES = ("hsic", "dcor", "xcov", "orth")


def estimate(name: str, d: int, rho: float, rows: int = 1000, batches: int = 4, **options: object) -> float:
    generator = torch.Generator().manual_seed(0)
    measure = build(name, d, d, **options)
    return np.mean([measure(*gaussian_codes(rows, d, rho, generator)).item() for _ in range(batches)])


@pytest.mark.parametrize("d", [1, 4, 16])
@pytest.mark.parametrize("name", MEASURES)
def test_more_correlation_is_more_dependence(name, d):
    if name == "orth" and d == 1:
        return  # refused, see below
    values = [estimate(name, d, rho) for rho in (0.0, 0.3, 0.6, 0.9)]
    assert values == sorted(values)
    assert min(np.diff(values)) > 0.003
    assert values[0] == pytest.approx(1 / d if name == "orth" else 0, abs=0.005)


@pytest.mark.parametrize("rho", [0.3, 0.8])
def test_distance_correlation_of_gaussians(rho):
    """Theorem 7 of Székely, Rizzo and Bakirov, Annals of Statistics 35 (2007)."""
    top = rho * math.asin(rho) + math.sqrt(1 - rho**2) - rho * math.asin(rho / 2) - math.sqrt(4 - rho**2) + 1
    assert estimate("dcor", 1, rho) == pytest.approx(top / (1 + math.pi / 3 - math.sqrt(3)), abs=0.03)


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

    assert estimate("hsic", 1, rho, normalize=False) == pytest.approx(hsic(rho), abs=0.003)
    assert estimate("hsic", 1, rho) == pytest.approx(hsic(rho) / hsic(1), abs=0.03)


@pytest.mark.parametrize(("d", "rho"), [(1, 0.5), (4, 0.8)])
def test_cross_covariance_of_gaussians(d, rho):
    assert estimate("xcov", d, rho) == pytest.approx(rho**2 / d, abs=0.02)


def test_cross_covariance_is_numpys_correlation():
    causal, biased = gaussian_codes(12, 3, 0.5, torch.Generator().manual_seed(0))
    correlation = np.corrcoef(causal.T.numpy(), biased.T.numpy())[:3, 3:]
    assert CrossCovariance(3, 3)(causal, biased).item() == pytest.approx((correlation**2 - 1 / 11).mean(), abs=1e-5)


@pytest.mark.parametrize("rows", [8, 30])
def test_independence_is_zero_at_few_rows_too(rows):
    generator = torch.Generator().manual_seed(0)
    for name in ("dcor", "xcov", "hsic"):
        measure = build(name, 8, 8)
        values = [measure(*gaussian_codes(rows, 8, 0.0, generator)).item() for _ in range(1000)]
        assert np.mean(values) == pytest.approx(0, abs=4 * np.std(values) / 1000**0.5)


def test_a_constant_channel_correlates_with_nothing():
    causal, biased = gaussian_codes(50, 2, 0.8, torch.Generator().manual_seed(0))
    both = CrossCovariance(2, 2)(causal, biased)
    padded = CrossCovariance(4, 2)(torch.cat([causal, torch.full((50, 2), 3.3)], dim=1), biased)
    torch.testing.assert_close(padded, both / 2)


def test_what_is_not_linear_is_seen_by_distances_and_kernels_alone():
    causal = torch.randn(800, 1, generator=torch.Generator().manual_seed(0))
    biased = causal**2
    assert DistanceCorrelation(1, 1)(causal, biased) > 0.15
    assert Hsic(1, 1)(causal, biased) > 0.15
    assert abs(CrossCovariance(1, 1)(causal, biased)) < 0.05


@pytest.mark.parametrize("name", MEASURES)
def test_given_the_class(name):
    generator = torch.Generator().manual_seed(0)
    y = torch.randint(0, 2, (1500,), generator=generator)
    apart, together = gaussian_codes(1500, 4, 0.0, generator), gaussian_codes(1500, 4, 0.7, generator)
    shift = 2.0 * y.unsqueeze(1)
    measure, chance = build(name, 4, 4), 0.25 if name == "orth" else 0.0
    through_the_class = (apart[0] + shift, apart[1] - shift)
    assert measure(*through_the_class) > chance + 0.1
    assert measure(*through_the_class, y).item() == pytest.approx(chance, abs=0.02)
    assert measure(together[0] + shift, together[1] - shift, y) > chance + 0.1


def test_hsic_and_dcor_gradients_are_those_of_differences():
    """Also through the bandwidth's scale; double precision, finite differences along a few directions."""
    generator = torch.Generator().manual_seed(0)
    causal, biased = (each.double() for each in gaussian_codes(12, 2, 0.6, generator))
    direction = torch.randn(12, 2, generator=generator, dtype=torch.float64)
    for measure in (DistanceCorrelation(2, 2), CrossCovariance(2, 2), Orthogonality(2, 2)):
        moved = causal.clone().requires_grad_()
        measure(moved, biased).backward()
        step = 1e-6 * direction
        slope = (measure(causal + step, biased) - measure(causal - step, biased)) / 2e-6
        assert (moved.grad * direction).sum().item() == pytest.approx(slope.item(), rel=1e-4, abs=1e-8)


def test_more_than_half_of_the_pairs_equal_have_a_bandwidth_still():
    causal = torch.zeros(20, 1)
    causal[:3] = torch.tensor([[1.0], [2.0], [3.0]])
    causal.requires_grad_()
    value = Hsic(1, 1)(causal, causal.detach())
    value.backward()
    assert value.item() == pytest.approx(1, abs=1e-4)
    assert torch.isfinite(causal.grad).all()


def test_orthogonal_codes():
    generator = torch.Generator().manual_seed(0)
    angle = torch.rand(100, generator=generator) * 6.28
    causal = torch.stack([angle.cos(), angle.sin()], dim=1)
    causal = torch.cat([causal, -causal])  # the mean is 0
    quarter = causal @ torch.tensor([[0.0, 1.0], [-1.0, 0.0]])
    assert Orthogonality(2, 2)(causal, quarter).item() == pytest.approx(0, abs=1e-6)
    assert Orthogonality(2, 2)(causal, -3 * causal).item() == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("widths", [(4, 3), (1, 1)])
def test_directions_need_one_width(widths):
    with pytest.raises(InputError, match=rf"one width of at least 2, got {widths[0]} and {widths[1]}; use 'xcov'"):
        Orthogonality(*widths)
