"""unimodal: its one modality, bit for bit, and what those without it get."""

from __future__ import annotations

import pytest
import torch

from gdsfd.errors import InputError
from gdsfd.nn.backbones import Task, build_backbone
from tests.nn.backbones.learner_case import C, D, LearnerCase, as_grid, full_grid, make_learner, presences


class TestUnimodal(LearnerCase):
    name = "unimodal"

    def test_u5_relabelling_modalities_with_their_weights_changes_nothing(self) -> None:
        first, second = self.fitted(modality="d"), self.fitted(modality="b")
        second.load_state_dict(first.state_dict())
        order = torch.tensor([0, 3, 2, 1, 4])
        expected = first(full_grid().transpose(0, 1), as_grid(presences()))
        found = second(full_grid()[:, order].transpose(0, 1), as_grid(presences()[:, order]))
        assert torch.equal(found.logits, expected.logits)


def test_other_modalities_change_nothing_at_all() -> None:
    learner, presence = make_learner("unimodal", modality="d").eval(), presences()
    expected = learner(full_grid().transpose(0, 1), as_grid(presence))
    other, absent = full_grid(9), presence & (torch.arange(5) == 3)
    other[:, 3] = full_grid()[:, 3]
    found = learner(other.transpose(0, 1), as_grid(absent))
    assert torch.equal(found.logits, expected.logits)
    assert torch.equal(found.pooled, expected.pooled)
    (name,) = found.parts
    assert name == "d"
    assert torch.equal(found.parts[name].rows, presence[:, 3])


def test_those_without_it_get_the_learned_scores() -> None:
    learner = make_learner("unimodal", modality="d").eval()
    with torch.no_grad():
        learner.start_from(torch.tensor([0.1, 0.2, 0.3]))
    found = learner(full_grid().transpose(0, 1), as_grid(presences()))
    without = ~presences()[:, 3]
    assert without.any()
    assert torch.equal(found.logits[without], torch.tensor([0.1, 0.2, 0.3]).expand(int(without.sum()), C))


def test_of_one_modality_it_is_concat_without_flags() -> None:
    learner, concat = make_learner("unimodal", modalities=1).eval(), build_backbone("concat", D, 1, dropout=0.0).eval()
    with torch.no_grad():
        concat.network[0].weight[:, :D] = learner.network[0].weight
        concat.network[0].weight[:, D:] = 0
        concat.network[0].bias.copy_(learner.network[0].bias)
        concat.network[3].load_state_dict(learner.network[3].state_dict())
    grid, layout = full_grid()[:, :1].transpose(0, 1), as_grid(torch.ones(12, 1, dtype=torch.bool))
    torch.testing.assert_close(learner(grid, layout).pooled, concat(grid, layout).pooled)


def test_an_unknown_modality_is_refused_with_near_names() -> None:
    learner = build_backbone("unimodal", D, 2, modality="lab")
    with pytest.raises(InputError, match=r"there is no modality 'lab'. Did you mean 'labs'"):
        learner.set_task(Task(1, ("labs", "note")))
