"""shaspec: what stands in for the absent, and which loss reaches which codes."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from tests.nn.backbones.learner_case import LearnerCase, as_grid, full_grid, make_learner, presences


class TestShaspec(LearnerCase, weightless={"alignment": 0.0, "domain": 0.0}):
    name = "shaspec"


def test_it_is_its_formula_patient_by_patient() -> None:
    learner, grid, presence = make_learner("shaspec").eval(), full_grid(), presences()
    found = learner(grid.transpose(0, 1), as_grid(presence)).pooled
    specific = learner.specific(grid)
    for patient in range(12):
        has = presence[patient].nonzero().flatten().tolist()
        shared = {k: learner.shared(grid[patient, k] + learner.kind[k]) for k in has}
        stand_in = torch.stack(list(shared.values())).mean(0) if has else torch.zeros(8)
        codes = [
            shared[k] + learner.join(torch.cat([shared[k], specific[patient, k]])) if k in has else stand_in
            for k in range(5)
        ]
        code = torch.stack(codes).mean(0)
        torch.testing.assert_close(found[patient], code + learner.residual(code))


def test_where_the_join_is_0_and_shared_codes_are_equal_absence_changes_nothing() -> None:
    learner = make_learner("shaspec").eval()
    for parameter in [*learner.join.parameters(), learner.kind]:
        nn.init.zeros_(parameter)
    grid = full_grid()[:, :1].expand(12, 5, 8)
    some = presences()[:3]
    found = learner(grid[:3].transpose(0, 1), as_grid(some)).pooled
    whole = learner(grid[:3].transpose(0, 1), as_grid(torch.ones_like(some))).pooled
    torch.testing.assert_close(found, whole)
    shared = learner.shared(grid)
    learner.teller = None
    assert learner.own_loss(shared, shared, torch.ones(12, 5)).item() == 0.0


def test_the_domain_loss_is_the_specific_codes_and_the_alignment_the_shared_ones() -> None:
    learner, there = make_learner("shaspec"), presences().float()
    shared, specific = (torch.randn(12, 5, 8, requires_grad=True) for _ in range(2))
    learner.alignment = 0.0
    learner.own_loss(shared, specific, there).backward()
    assert shared.grad is None
    assert (specific.grad[presences()] != 0).any()
    assert (specific.grad[~presences()] == 0).all()
    specific.grad, learner.alignment, learner.teller = None, 0.1, None
    learner.own_loss(shared, specific, there).backward()
    assert specific.grad is None
    assert (shared.grad[~presences()] == 0).all()


def test_both_losses_are_means_over_what_there_is() -> None:
    learner, presence = make_learner("shaspec", alignment=2.0, domain=3.0), presences()
    shared, specific = torch.randn(12, 5, 8), torch.randn(12, 5, 8)
    pairs, domains = [], []
    for patient in range(12):
        has = presence[patient].nonzero().flatten().tolist()
        pairs += [(shared[patient, k] - shared[patient, j]).abs().mean() for k in has for j in has if k < j]
        domains += [F.cross_entropy(learner.teller(specific[patient, k]), torch.tensor(k)) for k in has]
    expected = 2 * torch.stack(pairs).mean() + 3 * torch.stack(domains).mean()
    torch.testing.assert_close(learner.own_loss(shared, specific, presence.float()), expected)
    for parameter in learner.teller.parameters():
        nn.init.zeros_(parameter)
    learner.alignment = 0.0
    loss = learner.own_loss(shared, specific, presence.float())
    assert loss.item() == pytest.approx(3 * math.log(5), abs=1e-5)
