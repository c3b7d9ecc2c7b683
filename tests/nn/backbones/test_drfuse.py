"""drfuse: the common code, the divergence and the ranking against their definitions, and the attention written out."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from gdsfd.nn.backbones.drfuse import ranking_loss
from gdsfd.nn.fusion.common_code import common_code
from tests.nn.backbones.learner_case import LearnerCase, as_grid, full_grid, make_learner, presences


class TestDrFuse(LearnerCase, weightless={"parts": 0.0, "alignment": 0.0, "apart": 0.0, "ranking": 0.0}):
    name = "drfuse"


def test_the_ranking_is_over_pairs_that_are_there_and_labelled_outputs() -> None:
    generator = torch.Generator().manual_seed(0)
    weight, loss = torch.rand(4, 2, 3, generator=generator), torch.rand(4, 2, 3, generator=generator)
    there = torch.tensor([[1.0, 1, 1], [1, 0, 1], [0, 1, 0], [1, 1, 1]])
    labelled = torch.tensor([[True, True], [True, False], [True, True], [False, False]])
    total = 0.0
    for i in range(4):
        for c in range(2):
            for a in range(3):
                for b in range(a + 1, 3):
                    if labelled[i, c] and there[i, a] and there[i, b]:
                        sign = 1.0 if loss[i, c, b] > loss[i, c, a] else -1.0
                        total += max(0.0, -sign * float(weight[i, c, a] - weight[i, c, b]))
    assert ranking_loss(weight, loss, there, labelled).item() == pytest.approx(total / 5, abs=1e-6)
    assert total > 0


def test_the_attention_is_its_formula_and_leaves_the_absent_out() -> None:
    learner, grid, presence = make_learner("drfuse").eval(), full_grid(), presences()
    found = learner(grid.transpose(0, 1), as_grid(presence))
    own, common = learner.own(grid), learner.common(grid)
    for patient in range(12):
        has = presence[patient]
        if not has.any():
            torch.testing.assert_close(found.logits[patient], learner.bias)
            continue
        shared = common_code(common[[patient]], presence[[patient]].float())
        items = torch.cat([own[patient][has], shared])
        query = learner.query(items).mean(0)
        for c in range(3):
            keys = items @ learner.key.weight[c].t()
            weight = (keys @ query / 8**0.5).softmax(0)
            expected = learner.score[c] @ (weight @ learner.value(items)) + learner.bias[c]
            torch.testing.assert_close(found.logits[patient, c], expected, atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(found.parts["common"].logits[patient], learner.common_head(shared)[0])
    items, taken = torch.cat([own, common[:, :1]], 1), torch.cat([presence, presence.any(1, keepdim=True)], 1).float()
    assert (learner.read(items, taken)[1].transpose(1, 2)[taken == 0] == 0).all()


def test_of_one_output_the_ranking_has_an_entry_per_patient() -> None:
    """A binary outcome as one column must not be paired with itself, patients times patients."""
    learner, presence = make_learner("drfuse", outputs=1, alignment=0.0, apart=0.0, ranking=1.0).train(), presences()
    y = torch.randint(0, 2, (12, 1), generator=torch.Generator().manual_seed(0)).float()
    found = learner(full_grid().transpose(0, 1), as_grid(presence), y)
    scores = torch.stack([part.logits for part in found.parts.values()], 2)
    losses = F.binary_cross_entropy_with_logits(scores, y.unsqueeze(2).expand_as(scores), reduction="none")
    items = torch.cat(
        [learner.own(full_grid()), common_code(learner.common(full_grid()), presence.float()).unsqueeze(1)], 1
    )
    taken = torch.cat([presence, presence.any(1, keepdim=True)], 1).float()
    weight = learner.read(items, taken)[1]
    expected = ranking_loss(weight, losses, taken, torch.ones(12, 1, dtype=torch.bool))
    torch.testing.assert_close(found.aux_loss, expected)


def test_above_32_outputs_they_share_one_key_map() -> None:
    learner = make_learner("drfuse", outputs=33).eval()
    assert learner.key.weight.shape == (1, 8, 8)
    assert learner(full_grid().transpose(0, 1), as_grid(presences())).logits.shape == (12, 33)
