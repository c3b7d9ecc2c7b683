"""Running means and standard deviations."""

from __future__ import annotations

import torch

from gdsfd.nn.dependence.running_scale import RunningScale


def test_the_first_batch_is_taken_whole_and_later_ones_in_part():
    scale = RunningScale(2, momentum=0.75)
    first = torch.tensor([[0.0, 10.0], [4.0, 30.0]])
    torch.testing.assert_close(scale(first), first)  # as it is
    scale.update(first)
    torch.testing.assert_close(scale.mean, torch.tensor([2.0, 20.0]))
    torch.testing.assert_close(scale(first) ** 2, torch.full((2, 2), 0.5))
    scale.update(first + 8)
    torch.testing.assert_close(scale.mean, torch.tensor([4.0, 22.0]))


def test_a_batch_of_fewer_than_two_is_passed_over():
    scale = RunningScale(1)
    scale.update(torch.full((1, 1), 5.0))
    scale.update(torch.empty(0, 1))
    assert not scale.fitted
    assert scale.mean.item() == 0


def test_a_channel_that_does_not_vary_is_finite():
    scale = RunningScale(1)
    scale.update(torch.full((4, 1), 5.0))
    assert scale(torch.full((1, 1), 5.0)).item() == 0
    assert torch.isfinite(scale(torch.ones(1, 1))).all()


def test_the_statistics_are_constants():
    scale = RunningScale(1)
    code = torch.randn(6, 1, requires_grad=True)
    scale.update(code)
    scale(code).sum().backward()
    assert (code.grad > 0).all()
