"""CLUB: the full form against the sum over pairs, the sampled one against its mean."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tests.nn.dependence.gaussian_codes import build, gaussian_codes


def test_moments_give_the_sum_over_pairs():
    club = build("club", 3, 3)
    causal, biased = gaussian_codes(7, 3, 0.5, torch.Generator().manual_seed(0))
    club.critic_loss(causal, biased)
    mean, log_variance = (each.detach().double() for each in club._gaussian(club.critic(causal, None)))
    code = club.target(biased).double()
    pairs = torch.distributions.Normal(mean[:, None], (log_variance / 2).exp()[:, None]).log_prob(code[None]).sum(-1)
    own, partners = pairs.diagonal(), pairs[~torch.eye(7, dtype=torch.bool)]
    assert club(causal, biased).item() == pytest.approx((own.mean() - partners.mean()).item(), rel=1e-4, abs=1e-5)


def test_the_critics_loss_is_the_negative_log_likelihood():
    club = build("club", 2, 2)
    causal, biased = gaussian_codes(9, 2, 0.5, torch.Generator().manual_seed(0))
    loss = club.critic_loss(causal, biased)
    mean, log_variance = club._gaussian(club.critic(causal, None))
    expected = torch.distributions.Normal(mean, (log_variance / 2).exp()).log_prob(club.target(biased)).sum(1).mean()
    torch.testing.assert_close(loss, -expected)


def test_the_sampled_form_has_the_same_mean_and_draws_in_the_callers_scope():
    full, sampled = build("club", 2, 2), build("club", 2, 2, sampled=True)
    causal, biased = gaussian_codes(30, 2, 0.8, torch.Generator().manual_seed(0))
    for each in (full, sampled):
        each.critic_loss(causal, biased)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        first = sampled(causal, biased).item()
        draws = [sampled(causal, biased).item() for _ in range(2000)]
        torch.manual_seed(0)
        assert sampled(causal, biased).item() == first
    assert np.std(draws) > 0
    assert np.mean(draws) == pytest.approx(full(causal, biased).item(), abs=4 * np.std(draws) / 2000**0.5)


def test_nobody_is_their_own_partner():
    club = build("club", 1, 1, sampled=True)
    code = torch.arange(5.0).unsqueeze(1)
    with torch.random.fork_rng():
        for _ in range(50):
            assert (club._partners(code, code) > 0).all()


def test_the_log_variance_is_bounded():
    club = build("club", 2, 2, limit=3.0)
    _, log_variance = club._gaussian(club.critic(torch.full((4, 2), 1e5), None))
    assert log_variance.abs().max() <= 3
    causal = torch.randn(200, 2, generator=torch.Generator().manual_seed(0))
    optimizer = torch.optim.Adam(club.critic_parameters(), lr=1e-2)
    for _ in range(100):  # a code that is known exactly
        optimizer.zero_grad()
        club.critic_loss(causal, causal).backward()
        optimizer.step()
    value = club(causal, causal)
    assert torch.isfinite(value)
    assert value > 5
