"""umse: the bottleneck is the mean of those who are there, and what reaches whom after how many layers."""

from __future__ import annotations

import torch
from torch import nn

from tests.nn.backbones.learner_case import LearnerCase, as_grid, full_grid, make_learner, presences


class TestUmse(LearnerCase):
    name = "umse"


class TestUmseOfMoreTokens(LearnerCase, options={"tokens_per_modality": 2, "bottlenecks": 3, "width": 4}):
    name = "umse"


def test_of_one_layer_nothing_is_exchanged_and_of_two_it_is() -> None:
    learner, there = make_learner("umse", modalities=2).eval(), torch.ones(12, 2)
    grid, other = full_grid()[:, :2], full_grid()[:, :2].clone()
    other[:, 1] += 1
    first, second = (learner.exchange(each, there)[:, 0] for each in (grid, other))
    assert not torch.allclose(first, second)
    learner.blocks = learner.blocks[:1]
    first, second = (learner.exchange(each, there)[:, 0] for each in (grid, other))
    assert torch.equal(first, second)


def test_an_absent_modality_takes_no_part_in_the_exchange() -> None:
    """Inverted, as in CareBench's port, the first would move with the second exactly where there is no second."""
    learner, there = make_learner("umse", modalities=2).eval(), torch.tensor([[1.0, 0.0]]).expand(12, 2)
    other = full_grid()[:, :2].clone()
    other[:, 1] += 1
    first, second = (learner.exchange(each, there)[:, 0] for each in (full_grid()[:, :2], other))
    assert torch.equal(first, second)


def test_of_two_modalities_the_bottleneck_is_the_mean_of_both_or_the_one_there_is() -> None:
    learner = make_learner("umse", modalities=2, bottlenecks=4).eval()
    seen = []
    learner.blocks[1].register_forward_pre_hook(lambda _, given: seen.append(given[0][0, :, :4]))
    given = []
    learner.blocks[0].register_forward_hook(lambda _, __, rows: given.append(rows[:, :, :4].transpose(0, 1)))
    for there, expected in (
        ([1.0, 1.0], lambda rows: (rows[:, 0] + rows[:, 1]) / 2),
        ([1.0, 0.0], lambda rows: rows[:, 0]),
        ([0.0, 1.0], lambda rows: rows[:, 1]),
    ):
        learner.exchange(full_grid()[:, :2], torch.tensor([there]).expand(12, 2))
        torch.testing.assert_close(seen.pop(), expected(given.pop()))


def test_the_readout_is_a_softmax_over_what_there_is() -> None:
    learner, grid, presence = make_learner("umse").eval(), full_grid(), presences()
    nn.init.normal_(learner.share)
    nn.init.normal_(learner.nothing)
    found = learner(grid.transpose(0, 1), as_grid(presence)).pooled
    rows = learner.norm(learner.exchange(grid * presence.unsqueeze(2), presence.float()))
    for patient in range(12):
        has = presence[patient]
        expected = learner.share[has].softmax(0) @ rows[patient][has] if has.any() else learner.nothing
        torch.testing.assert_close(found[patient], expected)
