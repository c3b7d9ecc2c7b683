"""The true formula, its gradient, and the cases with nothing to learn from."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional as F

from gdsfd.errors import InputError
from gdsfd.nn.losses import generalized_cross_entropy, outcome_loss


@pytest.mark.parametrize("q", [0.2, 0.7, 1.0])
def test_binary_value_and_gradient_are_those_of_the_paper(q: float) -> None:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(40, 3, generator=generator, dtype=torch.float64, requires_grad=True)
    y = (torch.rand(40, 3, generator=generator) < 0.5).double()
    chance = torch.where(y > 0.5, logits.sigmoid(), 1 - logits.sigmoid())
    loss = generalized_cross_entropy(logits, y, q)
    torch.testing.assert_close(loss, ((1 - chance**q) / q).mean())
    (gradient,) = torch.autograd.grad(loss, logits)
    plain = F.binary_cross_entropy_with_logits(logits, y, reduction="sum")
    (ce,) = torch.autograd.grad(plain, logits)
    torch.testing.assert_close(gradient * y.numel(), chance.detach() ** q * ce)  # p^q times cross-entropy's


def test_multiclass_value_and_gradient() -> None:
    generator = torch.Generator().manual_seed(1)
    logits = torch.randn(30, 4, generator=generator, dtype=torch.float64, requires_grad=True)
    y = torch.randint(0, 4, (30,), generator=generator)
    chance = logits.softmax(-1)[torch.arange(30), y]
    loss = generalized_cross_entropy(logits, y, 0.7)
    torch.testing.assert_close(loss, ((1 - chance**0.7) / 0.7).mean())
    (gradient,) = torch.autograd.grad(loss, logits)
    (ce,) = torch.autograd.grad(F.cross_entropy(logits, y, reduction="sum"), logits)
    torch.testing.assert_close(gradient * 30, chance.detach().unsqueeze(1) ** 0.7 * ce)


def test_small_q_is_cross_entropy() -> None:
    logits = torch.linspace(-3, 3, 7, dtype=torch.float64).unsqueeze(1)
    y = torch.ones(7, 1, dtype=torch.float64)
    torch.testing.assert_close(
        generalized_cross_entropy(logits, y, 1e-6), outcome_loss(logits, y), rtol=1e-5, atol=1e-5
    )


def test_unlabelled_elements_do_not_count() -> None:
    logits = torch.tensor([[0.3, -0.2], [1.0, 2.0]], requires_grad=True)
    y = torch.tensor([[1.0, float("nan")], [float("nan"), float("nan")]])
    loss = generalized_cross_entropy(logits, y)
    torch.testing.assert_close(loss, generalized_cross_entropy(logits[:1, :1], y[:1, :1]))
    loss.backward()
    assert logits.grad is not None
    assert torch.equal(logits.grad[1], torch.zeros(2))
    nothing = generalized_cross_entropy(torch.randn(2, 3), torch.tensor([-1, -1]))
    assert float(nothing) == 0.0


def test_extreme_logits_stay_finite() -> None:
    logits = torch.tensor([[1e4], [-1e4]], requires_grad=True)
    loss = generalized_cross_entropy(logits, torch.tensor([[0.0], [0.0]]))
    loss.backward()
    assert math.isclose(float(loss.detach()), 0.5 / 0.7, rel_tol=1e-5)
    assert logits.grad is not None
    assert bool(torch.isfinite(logits.grad).all())


@pytest.mark.parametrize("q", [0.0, -1.0, 1.5])
def test_q_out_of_range(q: float) -> None:
    with pytest.raises(InputError, match="0 < q <= 1"):
        generalized_cross_entropy(torch.zeros(1, 1), torch.zeros(1, 1), q)
