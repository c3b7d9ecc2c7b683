"""The critic of pairs: its scores are of pairs and limited; what strangers' scores come to."""

from __future__ import annotations

import pytest
import torch

from gdsfd.nn.dependence.pair_bound import PairCritic, log_mean_exp_of_strangers


def test_scores_are_of_pairs_and_limited():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        critic = PairCritic(3, 2, hidden=8, rank=4, limit=5.0)
        causal, biased = torch.randn(4, 3), torch.randn(6, 2)
    table = critic(causal, biased, None)
    assert table.shape == (4, 6)
    torch.testing.assert_close(table[1:2, 2:3], critic(causal[1:2], biased[2:3], None))
    assert critic(1e6 * causal, 1e6 * biased, None).abs().max() <= 5


def test_strangers_are_all_pairs_but_ones_own(scores):
    off = scores.double()[~torch.eye(6, dtype=torch.bool)]
    assert log_mean_exp_of_strangers(scores).item() == pytest.approx(off.exp().mean().log().item(), rel=1e-5)
