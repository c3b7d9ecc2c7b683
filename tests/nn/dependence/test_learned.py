"""Learned bounds against closed forms, conditional ones too, and what they do when the critic is behind."""

from __future__ import annotations

import functools
import math

import pytest
import torch

from gdsfd.nn.dependence import critic_step
from tests.nn.dependence.gaussian_codes import build, gaussian_codes, mean_estimate, trained, true_information

LOWER = ("mine", "nwj", "infonce")
CASES = [(1, 0.9), (4, 0.6), (16, 0.5)]


@functools.cache
def found(name: str, d: int, rho: float) -> float:
    generator = torch.Generator().manual_seed(0)

    def draw(n: int):
        return *gaussian_codes(n, d, rho, generator), None

    return mean_estimate(trained(name, draw, (d, d)), draw)


def sampling_error(d: int, rho: float) -> float:
    """Three standard errors of the mean log-density ratio, whose variance is d rho^2, over the rows looked at."""
    return 3 * (d * rho**2 / (16 * 512)) ** 0.5


@pytest.mark.parametrize(("d", "rho"), CASES)
@pytest.mark.parametrize("name", LOWER)
def test_lower_bounds_are_below_the_truth_and_near_it(name, d, rho):
    truth = true_information(d, rho)
    assert truth - 0.02 - 0.1 * truth < found(name, d, rho) + sampling_error(d, rho)
    assert found(name, d, rho) < truth + sampling_error(d, rho)


@pytest.mark.parametrize(("d", "rho"), CASES)
def test_club_is_above_the_truth_by_the_gap_that_is_known(d, rho):
    closed_form = d * rho**2 / (1 - rho**2)
    assert found("club", d, rho) > true_information(d, rho) - sampling_error(d, rho)
    assert found("club", d, rho) == pytest.approx(closed_form, rel=0.1, abs=0.02)


@pytest.mark.parametrize("d", [1, 16])
@pytest.mark.parametrize("name", [*LOWER, "club"])
def test_independent_codes_give_about_zero(name, d):
    assert found(name, d, 0.0) == pytest.approx(0, abs=0.03)


def test_infonce_saturates_at_the_log_of_the_rows():
    generator = torch.Generator().manual_seed(0)

    def draw(n: int):
        return *gaussian_codes(min(n, 32), 4, 0.97, generator), None

    log_rows = math.log(32)
    assert true_information(4, 0.97) > log_rows + 2
    assert log_rows - 0.7 < mean_estimate(trained("infonce", draw, (4, 4)), draw) < log_rows


@pytest.mark.parametrize("name", [*LOWER, "club"])
def test_dependence_that_is_not_linear_is_seen(name):
    generator = torch.Generator().manual_seed(0)

    def draw(n: int):
        causal = torch.randn(n, 1, generator=generator)
        return causal, causal.abs() + 0.3 * torch.randn(n, 1, generator=generator), None

    assert mean_estimate(trained(name, draw, (1, 1)), draw) > 0.5


@pytest.mark.parametrize(
    "name", [LOWER[0], "club", *(pytest.param(name, marks=pytest.mark.slow) for name in LOWER[1:])]
)
def test_codes_that_meet_in_the_class_only_share_nothing_given_it(name):
    generator = torch.Generator().manual_seed(0)

    def draw(n: int):
        y = torch.randint(0, 2, (n,), generator=generator)
        causal, biased = gaussian_codes(n, 2, 0.0, generator)
        return causal + 2 * y.unsqueeze(1), biased - 2 * y.unsqueeze(1), y

    def without_the_class(n: int):
        return *draw(n)[:2], None

    assert mean_estimate(trained(name, draw, (2, 2)), draw) == pytest.approx(0, abs=0.04)
    assert mean_estimate(trained(name, without_the_class, (2, 2)), without_the_class) > 0.3


@pytest.mark.parametrize("name", [*LOWER, "club"])
def test_dependence_within_the_class_is_seen(name):
    """The sign of the correlation differs between classes: a critic that is not told the class would see it badly."""
    generator = torch.Generator().manual_seed(0)

    def draw(n: int):
        y = torch.randint(0, 2, (n,), generator=generator)
        causal, biased = gaussian_codes(n, 1, 0.8, generator)
        return causal, biased * (2 * y.unsqueeze(1) - 1), y

    truth = true_information(1, 0.8)
    expected = 0.64 / 0.36 if name == "club" else truth
    given = mean_estimate(trained(name, draw, (1, 1)), draw)
    assert given == pytest.approx(expected, rel=0.15)
    assert given > truth if name == "club" else given < truth + sampling_error(1, 0.8)


@pytest.mark.parametrize("name", [*LOWER, "club"])
def test_an_estimate_far_below_zero_is_not_descended(name):
    generator = torch.Generator().manual_seed(0)

    def draw(n: int):
        return *gaussian_codes(n, 4, 0.9, generator), None

    dependence = trained(name, draw, (4, 4), steps=100)
    causal, biased, _ = draw(256)
    turned = (-biased).requires_grad_()  # as far from what the critic knows as can be
    value = dependence(causal, turned)
    assert value.item() < -1
    value.backward()
    assert not turned.grad.any()


@pytest.mark.parametrize("name", [*LOWER, "club"])
def test_encoders_that_descend_it_part_the_codes(name):
    """A linear encoder of two channels, one shared with the biased code: the shared one is let go, the other kept."""
    generator = torch.Generator().manual_seed(0)
    weight = torch.tensor([[1.0], [1.0]], requires_grad=True)
    dependence = build(name, 1, 1)
    critic = torch.optim.Adam(dependence.critic_parameters(), lr=1e-2, fused=True)
    encoder = torch.optim.Adam([weight], lr=2e-2)
    for _ in range(150):
        own, shared = torch.randn(256, 1, generator=generator), torch.randn(256, 1, generator=generator)
        causal = torch.cat([own, shared], dim=1) @ weight
        critic_step(dependence, critic, causal, shared, steps=1)
        encoder.zero_grad()
        dependence(causal, shared).backward()
        encoder.step()
    share = float(weight.detach()[1].abs() / weight.detach().norm())
    assert share < 0.2
    assert torch.isfinite(weight).all()
