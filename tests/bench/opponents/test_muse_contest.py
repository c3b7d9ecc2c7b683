"""The contest of a step of ``muse``: the same loss, gradients and number of weights."""

from __future__ import annotations

import torch

from gdsfd.bench.message_passing import PLAIN
from gdsfd.bench.opponents.contest import OURS
from gdsfd.bench.opponents.muse_contest import muse
from gdsfd.bench.problem import Shape

SHAPE = Shape(60, 3, 0.5, channels=8, dtype="float64")


def test_loss_and_every_gradient_agree():
    contest = muse(SHAPE, 0, "cpu", False)
    rows = torch.arange(0, 60, 2)
    losses = {name: loss(rows) for name, loss in contest.losses.items()}
    torch.testing.assert_close(losses[OURS], losses[PLAIN])
    for loss in losses.values():
        loss.backward()
    pairs = contest.gradients()
    assert len(pairs) > 20
    for found, expected in pairs:
        torch.testing.assert_close(found, expected, rtol=1e-8, atol=1e-12)
    trained = sum(parameter.grad is not None for parameter in contest.models[PLAIN].parameters())
    assert trained == len(list(contest.models[PLAIN].parameters()))


def test_both_have_as_many_numbers_to_learn():
    models = muse(SHAPE, 0, "cpu", True).models
    counts = {name: sum(each.numel() for each in model.parameters()) for name, model in models.items()}
    assert counts[OURS] == counts[PLAIN]
