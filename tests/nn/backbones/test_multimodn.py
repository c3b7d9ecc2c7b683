"""multimodn: each patient's own chain written out, and what its states are scored and charged for."""

from __future__ import annotations

from itertools import pairwise

import torch

from tests.nn.backbones.learner_case import LearnerCase, as_grid, full_grid, make_learner, presences


class TestMultiModN(LearnerCase, weightless={"states": 0.0, "change": 0.0}):
    name = "multimodn"
    ordered = True


def chain(learner, grid: torch.Tensor, has: list[int]) -> list[torch.Tensor]:
    states = [learner.start]
    for k in has:
        states.append(learner.steps[k](torch.cat([grid[k], states[-1]])))
    return states


def test_it_is_each_patients_own_chain_scored_after_every_link() -> None:
    learner, grid, presence = make_learner("multimodn").eval(), full_grid(), presences()
    found = learner(grid.transpose(0, 1), as_grid(presence))
    for patient in range(12):
        has = presence[patient].nonzero().flatten().tolist()
        states = chain(learner, grid[patient], has)
        torch.testing.assert_close(found.pooled[patient], states[-1])
        torch.testing.assert_close(found.logits[patient], learner.head(states[-1]))
        speaks = {name for name, part in found.parts.items() if part.rows[patient]}
        assert speaks == ({"nothing", *("abcde"[k] for k in has[:-1])} if has else set()), "the last is the main one"
        for k, state in zip(has, states[1:]):
            torch.testing.assert_close(found.parts["abcde"[k]].logits[patient], learner.head(state))


def test_the_change_is_a_mean_over_links() -> None:
    learner, grid, presence = make_learner("multimodn", change=2.0).train(), full_grid(), presences()
    found = learner(grid.transpose(0, 1), as_grid(presence))
    changes = []
    for patient in range(12):
        states = chain(learner, grid[patient], presence[patient].nonzero().flatten().tolist())
        changes += [(after - before).square().mean() for before, after in pairwise(states)]
    torch.testing.assert_close(found.aux_loss, 2 * torch.stack(changes).mean())


def test_absence_is_the_identity() -> None:
    learner, grid = make_learner("multimodn").eval(), full_grid()
    nothing = learner(grid.transpose(0, 1), as_grid(torch.zeros(12, 5, dtype=torch.bool)))
    assert torch.equal(nothing.pooled, learner.start.expand(12, 8))
