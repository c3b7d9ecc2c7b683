"""What holds for all dependence measures without a critic: order, independence, classes, gradients."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gdsfd.nn.dependence import CrossCovariance, DistanceCorrelation, Orthogonality
from tests.nn.dependence.gaussian_codes import build, gaussian_codes, mean_of_measure

MEASURES = ("hsic", "dcor", "xcov", "orth")


@pytest.mark.parametrize("d", [1, 4, 16])
@pytest.mark.parametrize("name", MEASURES)
def test_more_correlation_is_more_dependence(name, d):
    if name == "orth" and d == 1:
        return  # refused, see below
    values = [mean_of_measure(name, d, rho) for rho in (0.0, 0.3, 0.6, 0.9)]
    assert values == sorted(values)
    assert min(np.diff(values)) > 0.003
    assert values[0] == pytest.approx(1 / d if name == "orth" else 0, abs=0.005)


@pytest.mark.parametrize("rows", [8, 30])
def test_independence_is_zero_at_few_rows_too(rows):
    generator = torch.Generator().manual_seed(0)
    for name in ("dcor", "xcov", "hsic"):
        measure = build(name, 8, 8)
        values = [measure(*gaussian_codes(rows, 8, 0.0, generator)).item() for _ in range(1000)]
        assert np.mean(values) == pytest.approx(0, abs=4 * np.std(values) / 1000**0.5)


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
