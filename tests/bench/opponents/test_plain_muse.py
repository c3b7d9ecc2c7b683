"""The plain training step: views from a loop."""

from __future__ import annotations

import pytest
import torch

from gdsfd.bench.message_passing import PLAIN
from gdsfd.bench.opponents.muse_contest import PUBLISHED, muse
from gdsfd.bench.opponents.plain_muse import PlainMuse, PublishedMuse
from gdsfd.bench.problem import Shape

SHAPE = Shape(60, 3, 0.5, channels=8, dtype="float64")


@pytest.fixture(scope="module")
def plain() -> PlainMuse:
    model = muse(SHAPE, 0, "cpu", True).models[PLAIN]
    assert isinstance(model, PlainMuse)
    return model


def test_the_loop_hides_each_observation_with_the_given_probability(plain):
    torch.manual_seed(0)
    flag = torch.rand(1500, 3) < 0.7
    kept = plain.drop(flag.clone())
    assert not (kept & ~flag).any()
    hidden = 1 - kept.sum() / flag.sum()
    assert abs(float(hidden) - plain.edge_drop) < 0.02


def test_the_published_rule_keeps_one_at_least_and_half_of_the_patients_whole():
    published = muse(SHAPE, 0, "cpu", True).models[PUBLISHED]
    assert isinstance(published, PublishedMuse)
    torch.manual_seed(0)
    flag = torch.ones(3000, 3, dtype=torch.bool)
    flag[:100] = False
    flag[:50, 1] = True
    kept = published.drop(flag.clone())
    assert torch.equal(kept[:100], flag[:100])
    counts = kept[100:].sum(1)
    share = torch.bincount(counts, minlength=4) / counts.numel()
    assert torch.allclose(share, torch.tensor([0, 0.25, 0.25, 0.5]), atol=0.03)
    assert ((kept[100:].float().mean(0) - 0.75).abs() < 0.03).all()  # no modality more than another


def test_patients_without_anything_and_a_modality_nobody_has(plain):
    flag = torch.tensor([[False, False, False], [True, True, False]])
    assert torch.equal(plain.drop(flag.clone())[0], flag[0])
    vectors = plain.eval().propagate(torch.randn(2, 3, 8, dtype=torch.float64), flag)
    plain.train()
    assert torch.isfinite(vectors).all()
