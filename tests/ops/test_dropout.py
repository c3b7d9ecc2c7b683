"""Dropout with few random numbers: shares, scale, gradient, and the same draws from the same seed."""

from __future__ import annotations

import pytest
import torch

from gdsfd.ops import dropout


@pytest.mark.parametrize("probability", [0.1, 0.25, 0.5, 0.999])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_share_and_scale(probability: float, dtype: torch.dtype) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        out = dropout(torch.ones(401, 501, dtype=dtype), probability, True)
    dropped = float((out == 0).double().mean())
    assert abs(dropped - probability) < 5 * (probability * (1 - probability) / out.numel()) ** 0.5 + 2**-16
    assert out.unique().numel() == 2
    assert abs(float(out.max()) * (1 - probability) - 1) < 0.01


def test_columns_are_independent() -> None:
    with torch.random.fork_rng():
        torch.manual_seed(1)
        out = dropout(torch.ones(40_000, 8, dtype=torch.double), 0.5, True)
    together = torch.corrcoef(out.t()) - torch.eye(8)
    assert float(together.abs().max()) < 5 / 40_000**0.5


def test_gradient_goes_where_the_values_went() -> None:
    values = torch.randn(7, 3, dtype=torch.double, generator=torch.Generator().manual_seed(0)).requires_grad_()
    out = dropout(values, 0.4, True)
    (got,) = torch.autograd.grad(out.sum(), values)
    torch.testing.assert_close(got * values.detach(), out.detach())


def test_same_seed_same_draws_and_nothing_outside_training() -> None:
    values = torch.randn(9, 5)
    draws = []
    for _ in range(2):
        with torch.random.fork_rng():
            torch.manual_seed(4)
            draws.append(dropout(values, 0.3, True))
    assert torch.equal(*draws)
    assert dropout(values, 0.3, False) is values
    assert dropout(values, 0.0, True) is values
    assert not dropout(values, 1.0, True).any()
    assert dropout(values[:0], 0.3, True).shape == (0, 5)


@pytest.mark.parametrize("where", [0, 1])
def test_members_that_are_mapped_over_draw_each_their_own(where: int) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(2)
        values = torch.randn(300, 3, 40, dtype=torch.double).movedim(1, where).requires_grad_()
        mapped = torch.vmap(lambda each: dropout(each, 0.4, True), in_dims=where, randomness="different")
        out = mapped(values)
        (got,) = torch.autograd.grad(out.sum(), values)
    torch.testing.assert_close((got * values.detach()).movedim(where, 0), out.detach())
    kept = (out.detach() != 0).double().flatten(1)
    assert float(kept.mean()) == pytest.approx(0.6, abs=0.02)
    assert float((torch.corrcoef(kept) - torch.eye(3)).abs().max()) < 5 / kept.size(1) ** 0.5
