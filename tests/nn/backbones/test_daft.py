"""daft: the formula on the same weights, its start as the identity, and one target."""

from __future__ import annotations

import pytest
import torch

from gdsfd.errors import InputError
from gdsfd.nn.backbones import Task, build_backbone
from tests.nn.backbones.learner_case import D, LearnerCase, as_grid, full_grid, make_learner, presences


class TestDaft(LearnerCase):
    name = "daft"


def test_it_starts_as_the_identity() -> None:
    learner, grid, presence = make_learner("daft").eval(), full_grid(), presences()
    found = learner(grid.transpose(0, 1), as_grid(presence)).pooled
    torch.testing.assert_close(found, (grid * presence.unsqueeze(2)).sum(1) / 5)


@pytest.mark.parametrize("target", ["", "b"])
def test_it_is_its_formula_patient_by_patient(target: str) -> None:
    learner = make_learner("daft", modalities=2, target=target).eval()
    torch.nn.init.normal_(learner.out.weight)
    grid, presence = full_grid()[:, :2], presences()[:, :2]
    found = learner(grid.transpose(0, 1), as_grid(presence)).pooled
    for patient in range(12):
        flags = presence[patient].float()
        tokens = grid[patient] * flags.unsqueeze(1)
        moved = []
        for k in (0, 1):
            hidden = torch.relu(learner.into.weight[k] @ torch.cat([*tokens, flags]) + learner.into.bias[k])
            scale, shift = (learner.out.weight[k] @ hidden).chunk(2)
            of_target = not target or k == 1
            moved.append((1 + scale) * tokens[k] + shift if of_target else tokens[k])
            if of_target and not flags[k]:
                torch.testing.assert_close(moved[-1], shift)
        torch.testing.assert_close(found[patient], (moved[0] + moved[1]) / 2)


def test_an_unknown_target_is_refused() -> None:
    with pytest.raises(InputError, match=r"the backbone 'daft': there is no modality 'imag'. Did you mean 'image'"):
        build_backbone("daft", D, 2, target="imag").set_task(Task(1, ("labs", "image")))
