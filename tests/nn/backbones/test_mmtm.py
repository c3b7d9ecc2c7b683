"""mmtm: the formula on the same weights, and gates that start as the identity."""

from __future__ import annotations

import torch
from torch import nn

from tests.nn.backbones.learner_case import D, LearnerCase, as_grid, full_grid, make_learner, presences


class TestMmtm(LearnerCase):
    name = "mmtm"


class TestMmtmOfTwoStages(LearnerCase, options={"stages": 2}):
    name = "mmtm"


def test_without_excitation_it_is_the_identity() -> None:
    """A plain sigmoid, without the authors' factor 2, would halve every feature."""
    learner, grid, presence = make_learner("mmtm", stages=3).eval(), full_grid(), presences()
    for gate in learner.excite:
        nn.init.zeros_(gate.weight)
        nn.init.zeros_(gate.bias)
    rows = torch.cat([(grid * presence.unsqueeze(2)).flatten(1), presence.float()], 1)
    torch.testing.assert_close(learner(grid.transpose(0, 1), as_grid(presence)).pooled, learner.pool(rows))


def test_two_modalities_are_the_published_formula() -> None:
    learner = make_learner("mmtm", modalities=2).eval()
    grid, presence = full_grid()[:, :2], presences()[:, :2]
    found = learner(grid.transpose(0, 1), as_grid(presence)).pooled
    for patient in range(12):
        flags = presence[patient].float()
        first, second = grid[patient] * flags.unsqueeze(1)
        joint = torch.relu(learner.squeeze[0](torch.cat([first, second, flags])))
        gates = [2 * torch.sigmoid(learner.excite[0].weight[k] @ joint + learner.excite[0].bias[k]) for k in (0, 1)]
        expected = learner.pool(torch.cat([first * gates[0], second * gates[1], flags]))
        torch.testing.assert_close(found[patient], expected)
    assert learner.squeeze[0].out_features == 2 * 2 * D // 4
