"""The shared tests themselves: each fails for a learner that has the defect it is there to find."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from gdsfd.nn.backbones.fusion_backbone import Fused, FusionBackbone
from tests.nn.backbones import learner_case
from tests.nn.backbones.learner_case import LearnerCase


class Honest(FusionBackbone):
    """The mean of mapped tokens over present modalities."""

    def __init__(self, channels: int = 8, num_modalities: int = 5, dropout: float = 0.0, edge_drop: float = 0.0):
        super().__init__(channels, num_modalities, dropout, edge_drop)
        self.map = nn.Linear(channels, channels)

    def fuse(self, grid, there, y):
        return Fused((self.map(grid) * there.unsqueeze(2)).sum(1) / there.sum(1, keepdim=True).clamp(min=1))


class ReadsBatch(Honest):
    def fuse(self, grid, there, y):
        return Fused(super().fuse(grid, there, y).pooled - self.map(grid).mean((0, 1)))


class AbsentIsSeen(Honest):
    """Padding leaks, and a zero image is taken as seen."""

    def forward(self, tokens, layout, y=None):
        found = super().forward(tokens, layout, y)
        if tokens.dim() == 3:
            found.pooled = found.pooled + tokens.mean(0)
        return found


class Inverted(Honest):
    def fuse(self, grid, there, y):
        return super().fuse(grid, 1 - there, y)


class AddedTooLate(Honest):
    """A layer that no gradient reaches."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.added = nn.Linear(8, 8)

    def fuse(self, grid, there, y):
        return Fused(super().fuse(grid, there, y).pooled + self.added(grid.sum(1)).detach())


class Ordered(Honest):
    def fuse(self, grid, there, y):
        weight = torch.arange(1.0, 6.0).view(1, 5, 1)
        return super().fuse(grid * weight, there, y)


class Loops(Honest):
    def fuse(self, grid, there, y):
        return Fused(torch.stack([self.map(each).sum(0) * flags.mean() for each, flags in zip(grid, there)]))


def case_of(kind: type[Honest]) -> LearnerCase:
    case = LearnerCase()
    case.name = kind.__name__
    case.learner = lambda **options: _seeded(kind)  # type: ignore[method-assign]
    return case


def _seeded(kind: type[Honest]) -> Honest:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return kind()


@pytest.mark.parametrize(
    ("kind", "test"),
    [
        (ReadsBatch, "test_u1_alone_shuffled_and_together_agree"),
        (Inverted, "test_u1_alone_shuffled_and_together_agree"),
        (AbsentIsSeen, "test_u2_contents_of_an_absent_modality_change_nothing"),
        (AbsentIsSeen, "test_u3_hiding_a_modality_is_never_having_had_it"),
        (Ordered, "test_u5_relabelling_modalities_with_their_weights_changes_nothing"),
        (AddedTooLate, "test_u6_every_parameter_moves_in_three_steps"),
        (ReadsBatch, "test_u7_unlabelled_patients_do_not_move_the_outcomes_loss"),
        (Loops, "test_u12_the_number_of_operations_does_not_grow_with_patients"),
    ],
)
def test_a_defect_is_found(kind: type[Honest], test: str) -> None:
    getattr(case_of(Honest), test)()
    with pytest.raises(AssertionError):
        getattr(case_of(kind), test)()


def test_relabelling_moves_axes_of_modalities_and_of_their_channels_alone() -> None:
    order = torch.tensor([3, 0, 4, 2, 1])
    assert learner_case.relabelled(torch.arange(5), order).tolist() == order.tolist()
    flat = torch.arange(45)
    moved = learner_case.relabelled(flat, order)
    assert moved[:8].tolist() == list(range(24, 32))
    assert moved[40:].tolist() == [43, 40, 44, 42, 41]
    assert torch.equal(learner_case.relabelled(torch.arange(8), order), torch.arange(8))
