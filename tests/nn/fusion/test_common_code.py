"""The common code and the divergence against their definitions as probabilities."""

from __future__ import annotations

import math

import pytest
import torch

from gdsfd.nn.fusion.common_code import common_code, divergence
from tests.nn.backbones.learner_case import full_grid, presences


def test_the_common_code_is_the_logit_of_the_mean_probability() -> None:
    codes, presence = 3 * full_grid(), presences()
    found = common_code(codes, presence.float())
    for patient in range(12):
        has = presence[patient]
        expected = torch.logit(torch.sigmoid(codes[patient][has].double()).mean(0)).float()
        torch.testing.assert_close(found[patient], expected if has.any() else torch.zeros(8), atol=1e-5, rtol=1e-4)
    one = torch.zeros(12, 5)
    one[:, 2] = 1
    torch.testing.assert_close(common_code(codes, one), codes[:, 2])


def test_the_divergence_is_of_both_halves_and_of_those_with_several() -> None:
    codes, presence = 2 * full_grid(), presences()

    def entropy(p: torch.Tensor) -> torch.Tensor:
        return -(p * p.log() + (1 - p) * (1 - p).log())

    each = []
    for patient in range(12):
        p = torch.sigmoid(codes[patient][presence[patient]])
        if len(p) > 1:
            each.append((entropy(p.mean(0)) - entropy(p).mean(0)).mean())
    found = divergence(codes, presence.float())
    torch.testing.assert_close(found, torch.stack(each).mean())
    torch.testing.assert_close(divergence(-codes, presence.float()), found)
    assert divergence(codes[:, :1].expand(12, 5, 8), presence.float()).abs() < 1e-6
    apart = torch.tensor([[[30.0], [-30.0]]])
    assert divergence(apart, torch.ones(1, 2)).item() == pytest.approx(math.log(2), abs=1e-5)
    assert divergence(apart, torch.tensor([[1.0, 0.0]])).item() == 0.0
