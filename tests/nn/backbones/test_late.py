"""late: the three fusions written out, and naive Bayes where it is exact."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional as F

from tests.nn.backbones.learner_case import LearnerCase, as_grid, full_grid, make_learner, presences


class TestLateMean(LearnerCase, weightless={"unimodal": 0.0}):
    name = "late"


class TestLateSum(LearnerCase, options={"fusion": "sum"}, weightless={"unimodal": 0.0}):
    name = "late"


class TestLateFeature(LearnerCase, options={"fusion": "feature"}):
    name = "late"


@pytest.mark.parametrize("fusion", ["mean", "sum"])
def test_it_is_its_formula_patient_by_patient(fusion: str) -> None:
    learner, grid, presence = make_learner("late", fusion=fusion).eval(), full_grid(), presences()
    with torch.no_grad():
        learner.start_from(torch.tensor([-1.0, 0.5, 0.3]))
        if fusion == "mean":
            learner.share.copy_(torch.randn(5))
    found = learner(grid.transpose(0, 1), as_grid(presence))
    prior = torch.tensor([-1.0, 0.5, 0.3])
    for patient in range(12):
        has = presence[patient].nonzero().flatten().tolist()
        scores = {k: learner.heads.weight[k] @ grid[patient, k] + learner.heads.bias[k] for k in has}
        if fusion == "sum":
            expected = prior + sum(score - prior for score in scores.values())
        elif has:
            weights = {k: F.softplus(learner.share[k]).item() for k in has}
            expected = sum(weights[k] * scores[k] for k in has) / sum(weights.values())
        else:
            expected = prior
        torch.testing.assert_close(found.logits[patient], expected)
        for k in has:
            torch.testing.assert_close(found.parts["abcde"[k]].logits[patient], scores[k])
    assert [part.rows.tolist() for part in found.parts.values()] == presence.t().tolist()


def test_sum_is_exact_for_modalities_that_are_independent_given_the_outcome() -> None:
    """Two Gaussians with means +-mu_k per class: the posterior's log-odds are prior + sum of 2 mu_k x_k."""
    learner = make_learner("late", modalities=2, channels=1, outputs=1, fusion="sum").double().eval()
    mu, prior = torch.tensor([0.7, -0.4], dtype=torch.double), math.log(0.2 / 0.8)
    with torch.no_grad():
        learner.start_from(torch.tensor([prior], dtype=torch.double))
        learner.heads.weight.copy_(2 * mu.view(2, 1, 1))
    x = torch.randn(50, 2, 1, dtype=torch.double, generator=torch.Generator().manual_seed(0))
    presence = torch.rand(50, 2, generator=torch.Generator().manual_seed(1)) < 0.6
    found = torch.sigmoid(learner(x.transpose(0, 1), as_grid(presence)).logits[:, 0])
    density = lambda sign: torch.where(presence, torch.exp(-((x[..., 0] - sign * mu) ** 2) / 2), 1.0).prod(1)  # noqa: E731
    torch.testing.assert_close(found, 0.2 * density(1) / (0.2 * density(1) + 0.8 * density(-1)), atol=1e-6, rtol=0)


def test_feature_is_one_linear_map_of_tokens_and_flags() -> None:
    learner, grid, presence = make_learner("late", fusion="feature").eval(), full_grid(), presences()
    rows = torch.cat([(grid * presence.unsqueeze(2)).flatten(1), presence.float()], 1)
    found = learner(grid.transpose(0, 1), as_grid(presence))
    torch.testing.assert_close(found.logits, learner.head(rows))
    assert found.parts == {}
