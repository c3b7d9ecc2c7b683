"""Orthogonality of two codes: right angles, one line, widths that are refused."""

from __future__ import annotations

import pytest
import torch

from gdsfd.errors import InputError
from gdsfd.nn.dependence import Orthogonality


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


def test_a_patient_at_the_mean_counts_as_orthogonal():
    codes = torch.tensor([[1.0, 0.0], [-1.0, 0.0], [0.0, 0.0], [0.0, 0.0]], requires_grad=True)
    value = Orthogonality(2, 2)(codes, codes)
    assert value.item() == pytest.approx(0.5)
    value.backward()
    assert torch.isfinite(codes.grad).all()
