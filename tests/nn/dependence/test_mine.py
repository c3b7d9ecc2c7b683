"""MINE from a table of scores; its critic's gradient: of the running partition, the batch's at first."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from gdsfd.nn.dependence import Mine
from gdsfd.nn.dependence.pair_bound import log_mean_exp_of_strangers
from tests.nn.dependence.gaussian_codes import build, gaussian_codes


def gradient(loss: torch.Tensor, mine: Mine) -> torch.Tensor:
    found = torch.autograd.grad(loss, mine.critic_parameters(), materialize_grads=True)
    return torch.cat([each.flatten() for each in found])


def test_the_first_step_is_the_plain_gradient_and_later_ones_the_running():
    mine = build("mine", 3, 3, momentum=0.75)
    generator = torch.Generator().manual_seed(0)
    causal, biased = gaussian_codes(40, 3, 0.7, generator)
    loss = mine.critic_loss(causal, biased)
    scores = mine.critic(causal, biased, None)
    plain = log_mean_exp_of_strangers(scores) - scores.diagonal().mean()
    assert loss.item() == pytest.approx(plain.item())
    torch.testing.assert_close(gradient(loss, mine), gradient(plain, mine), rtol=1e-4, atol=1e-6)

    first = float(mine.log_partition[0])
    causal, biased = gaussian_codes(40, 3, -0.7, generator)
    loss = mine.critic_loss(causal, biased)
    scores = mine.critic(causal, biased, None)
    strangers = ~torch.eye(40, dtype=torch.bool)
    mean = scores[strangers].exp().mean()
    running = 0.75 * math.exp(first) + 0.25 * mean.item()
    assert math.exp(mine.log_partition[0]) == pytest.approx(running, rel=1e-5)
    assert loss.item() == pytest.approx((mean.log() - scores.diagonal().mean()).item(), abs=1e-5)
    expected = mean / running - scores.diagonal().mean()
    torch.testing.assert_close(gradient(loss, mine), gradient(expected, mine), rtol=1e-4, atol=1e-6)


def test_each_class_has_its_own_partition():
    mine = build("mine", 2, 2)
    causal, biased = gaussian_codes(30, 2, 0.7, torch.Generator().manual_seed(0))
    mine.critic_loss(causal, biased, torch.arange(30) % 2 * 3)
    assert mine.log_partition.isfinite().nonzero().squeeze(1).tolist() == [1, 4]


def test_more_classes_than_partitions_share_the_last():
    mine = build("mine", 2, 2)
    causal, biased = gaussian_codes(60, 2, 0.7, torch.Generator().manual_seed(0))
    condition = torch.arange(60) % 20
    mine.critic_loss(causal, biased, condition).backward()
    assert torch.isfinite(mine(causal, biased, condition))


def test_mine_by_hand(scores):
    own, strangers = scores.diagonal().numpy(), scores[~torch.eye(6, dtype=torch.bool)].numpy()
    assert build("mine", 1, 1).from_scores(scores).item() == pytest.approx(
        own.mean() - np.log(np.exp(strangers).mean())
    )
