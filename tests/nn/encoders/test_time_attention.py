"""Attention over time against sums over events, and its limits."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from gdsfd.nn.encoders.time_attention import TimeAttention

STEPS, ITEMS = 6, 2


@pytest.fixture
def view() -> TimeAttention:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return TimeAttention(ITEMS, STEPS, 4, time_channels=8).double()


@pytest.fixture
def events():
    generator = torch.Generator().manual_seed(1)
    seen = (torch.rand(3, STEPS, ITEMS, generator=generator) < 0.5).double()
    seen[0, :, 1] = 0  # never measured
    values = torch.randn(3, STEPS, ITEMS, generator=generator, dtype=torch.float64)
    return values, seen


def test_it_is_a_softmax_over_the_measured_times_of_each_item(view, events):
    values, seen = events
    found = view.attended(values, seen)
    times = torch.arange(STEPS).double() / STEPS
    phi = [torch.cat([view.slope * s, torch.sin(view.rate * s + view.phase)]) for s in times]
    for e in range(3):
        for i in range(ITEMS):
            there = [s for s in range(STEPS) if seen[e, s, i]]
            for r in range(STEPS):
                if not there:
                    assert found[e, r, i] == 0
                    continue
                score = torch.stack([phi[r] @ view.kernel @ phi[s] for s in there])
                expected = (score.softmax(0) * values[e, there, i]).sum()
                torch.testing.assert_close(found[e, r, i], expected)


def test_without_a_kernel_it_is_the_mean_and_with_a_sharp_one_the_nearest(view, events):
    values, seen = events
    with torch.no_grad():
        view.kernel.zero_()
    mean = (values * seen).sum(1) / seen.sum(1).clamp_min(1)
    torch.testing.assert_close(view.attended(values, seen), mean.unsqueeze(1).expand_as(values))
    with torch.no_grad():  # phi'phi falls with the distance in time: quarter waves
        view.slope.zero_()
        view.rate.copy_(torch.tensor([1.5] * 7))
        view.phase.copy_(torch.tensor([0, torch.pi / 2] * 3 + [0]))
        view.kernel.copy_(1e3 * torch.diag(torch.tensor([0.0, 1, 1, 1, 1, 1, 1, 0], dtype=torch.float64)))
    sharp = view.attended(values, torch.ones_like(seen))
    torch.testing.assert_close(sharp, values, atol=1e-4, rtol=1e-4)
    one = torch.zeros_like(seen)
    one[:, 1] = one[:, 5] = 1  # between them each step takes the nearer
    near = view.attended(values, one)
    for r, nearest in enumerate([1, 1, 1, None, 5, 5]):
        if nearest is not None:
            torch.testing.assert_close(near[:, r], values[:, nearest], atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(("bias", "which"), [(1e4, "carried"), (-1e4, "attended")])
def test_the_gate_chooses_between_the_two_ways(view, events, bias, which):
    values, seen = events
    last = view.gate[-1]
    assert isinstance(last, nn.Linear)
    with torch.no_grad():
        last.weight.zero_()
        last.bias.fill_(bias)
    expected = values if which == "carried" else view.attended(values, seen)
    torch.testing.assert_close(view.interpolated(values, seen), expected)
