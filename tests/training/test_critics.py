"""The critics' turns: so many steps a batch, on the critics alone, and their state in checkpoints."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy

import torch
from torch import Tensor, nn

from gdsfd.nn.losses import Targets
from gdsfd.nn.objectives import ErmObjective, Objective
from gdsfd.nn.predictor import Prediction
from gdsfd.training.critics import Critics

TARGETS = Targets(torch.zeros(2, 1), torch.arange(2))


class Pulled(Objective):
    """One critic, a number that is pulled to 1; stages without one give no loss."""

    critic_rate, critic_steps = 0.1, 3

    def __init__(self) -> None:
        super().__init__()
        self.number, self.asked = nn.Parameter(torch.zeros(1)), 0

    def critic_loss(self, predictions: Sequence[Prediction], targets: Targets, stage: int) -> Tensor | None:
        self.asked += 1
        return (self.number - 1).square().sum() if stage == 1 else None

    def critic_parameters(self) -> list[nn.Parameter]:
        return [self.number]


def test_so_many_steps_of_adam() -> None:
    objective = Pulled()
    Critics(objective).step([], TARGETS, stage=1)
    plain = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.Adam([plain], lr=0.1)
    for _ in range(3):
        optimizer.zero_grad()
        (plain - 1).square().sum().backward()
        optimizer.step()
    assert objective.asked == 3
    torch.testing.assert_close(objective.number.detach(), plain.detach())


def test_without_a_loss_nothing_moves() -> None:
    objective = Pulled()
    Critics(objective).step([], TARGETS, stage=2)
    assert objective.asked == 1
    assert objective.number.item() == 0


def test_without_critics_there_is_nothing_to_train_or_keep() -> None:
    critics = Critics(ErmObjective())
    critics.step([], TARGETS, stage=1)
    assert critics.state_dict() == {}
    critics.load_state_dict({})


def test_a_resumed_one_takes_the_same_step() -> None:
    first, second = Pulled(), Pulled()
    before, after = Critics(first), Critics(second)
    before.step([], TARGETS, stage=1)
    second.load_state_dict(first.state_dict())
    after.load_state_dict(deepcopy(before.state_dict()))  # as from a file: tensors of its own
    for each in (before, after):
        each.step([], TARGETS, stage=1)
    assert torch.equal(first.number, second.number)
