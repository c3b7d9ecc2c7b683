"""The critic's turn."""

from __future__ import annotations

import pytest
import torch

from gdsfd.nn.dependence import critic_step
from tests.nn.dependence.gaussian_codes import build, gaussian_codes


def test_the_critic_moves_and_the_encoders_graph_is_still_there():
    dependence = build("mine", 2, 2)
    optimizer = torch.optim.Adam(dependence.critic_parameters(), lr=1e-2)
    encoder = torch.nn.Linear(2, 2)
    causal, biased = gaussian_codes(64, 2, 0.8, torch.Generator().manual_seed(0))
    codes = encoder(causal)
    before = [each.detach().clone() for each in dependence.critic_parameters()]
    first = dependence.critic_loss(codes, biased).item()
    last = critic_step(dependence, optimizer, codes, biased, steps=20)
    assert last.item() < first
    assert not last.requires_grad
    assert any(not torch.equal(old, new) for old, new in zip(before, dependence.critic_parameters(), strict=True))
    assert encoder.weight.grad is None
    dependence(codes, biased).backward()
    assert encoder.weight.grad.any()


@pytest.mark.parametrize("n", [0, 1, 2])
def test_a_batch_too_small_leaves_the_critic_as_it_is(n):
    dependence = build("club", 2, 2)
    optimizer = torch.optim.SGD(dependence.critic_parameters(), lr=1.0)
    before = [each.detach().clone() for each in dependence.critic_parameters()]
    assert critic_step(dependence, optimizer, torch.randn(n, 2), torch.randn(n, 2)).item() == 0
    assert all(torch.equal(old, new) for old, new in zip(before, dependence.critic_parameters(), strict=True))


def test_without_a_critic_there_is_nothing_to_do():
    assert critic_step(build("xcov", 2, 2), None, torch.randn(8, 2), torch.randn(8, 2)) is None


def test_no_steps():
    dependence = build("nwj", 2, 2)
    optimizer = torch.optim.SGD(dependence.critic_parameters(), lr=1.0)
    assert critic_step(dependence, optimizer, torch.randn(8, 2), torch.randn(8, 2), steps=0) is None
