"""Averages of predictions over strata, against sums of probabilities."""

from __future__ import annotations

import pytest
import torch

from gdsfd.nn.adjustment.averaged_logits import adjusted_logits, logit_spread

MASS = torch.tensor([0.5, 0.2, 0.2, 0.1])


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


def test_binary_logits_are_of_the_mean_probability() -> None:
    logits = torch.randn(5, 4, 2, dtype=torch.float64, requires_grad=True)
    got = adjusted_logits(logits, MASS, False)
    mean = (logits.sigmoid() * MASS.double()[:, None]).sum(1)
    torch.testing.assert_close(got.sigmoid(), mean)
    ours, theirs = (torch.autograd.grad(p.sum(), logits, retain_graph=True)[0] for p in (got.sigmoid(), mean))
    torch.testing.assert_close(ours, theirs)


def test_class_logits_are_of_the_mean_probability() -> None:
    logits = torch.randn(5, 4, 3, dtype=torch.float64)
    got = adjusted_logits(logits, MASS, True)
    torch.testing.assert_close(got.exp(), (logits.softmax(-1) * MASS.double()[:, None]).sum(1))


def test_weights_of_each_patient() -> None:
    logits, weight = torch.randn(5, 4, 1), torch.softmax(torch.randn(5, 4), 1)
    got = adjusted_logits(logits, weight, False)
    for i in range(5):
        torch.testing.assert_close(got[i : i + 1], adjusted_logits(logits[i : i + 1], weight[i], False))


@pytest.mark.parametrize("multiclass", [False, True])
@pytest.mark.parametrize("size", [0.0, 1.0, 40.0, 1e4])
def test_one_stratum_gives_its_logits_however_large(multiclass: bool, size: float) -> None:
    logits = size * torch.tensor([[[1.0, -1.0, 0.5]]], requires_grad=True)
    got = adjusted_logits(logits, torch.ones(1), multiclass)
    expected = logits[:, 0].log_softmax(-1) if multiclass else logits[:, 0]
    torch.testing.assert_close(got, expected)
    (gradient,) = torch.autograd.grad(got.sum(), logits)
    assert gradient.isfinite().all()


def test_a_stratum_of_no_mass_counts_for_nothing() -> None:
    logits = torch.tensor([[[0.3], [5.0]]], requires_grad=True)
    got = adjusted_logits(logits, torch.tensor([1.0, 0.0]), False)
    torch.testing.assert_close(got.detach(), torch.tensor([[0.3]]))
    got.sum().backward()
    assert logits.grad is not None
    torch.testing.assert_close(logits.grad.flatten(), torch.tensor([1.0, 0.0]))


def test_bfloat16_is_averaged_in_float32() -> None:
    assert adjusted_logits(torch.zeros(2, 4, 1, dtype=torch.bfloat16), MASS, False).dtype == torch.float32


def test_spread_of_logits() -> None:
    logits = torch.tensor([[[1.0], [3.0]], [[2.0], [2.0]]])
    torch.testing.assert_close(logit_spread(logits, torch.tensor([0.5, 0.5])), torch.tensor([[1.0], [0.0]]))
    each = torch.tensor([[3.0, 1.0], [1.0, 1.0]])  # normalised
    torch.testing.assert_close(logit_spread(logits, each), torch.tensor([[0.75**0.5], [0.0]]))
