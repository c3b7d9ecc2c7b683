"""mt: who reads whom, the subset task, and the closed form of one softmax."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from tests.nn.backbones.learner_case import LearnerCase, as_grid, full_grid, make_learner, presences


class TestMt(LearnerCase, weightless={"subsets": 0.0}):
    name = "mt"


class TestMtOfEarlyFusion(LearnerCase, options={"fusion_from": 0, "width": 4}, weightless={"subsets": 0.0}):
    name = "mt"


@pytest.mark.parametrize(("fusion_from", "moves"), [(0, True), (1, True), (2, False)])
def test_before_fusion_tokens_of_one_modality_do_not_move_those_of_another(fusion_from: int, moves: bool) -> None:
    learner = make_learner("mt", layers=3, tokens_per_modality=4, fusion_from=fusion_from).eval()
    there = torch.ones(12, 5)
    grid, other = full_grid(), full_grid()
    other[:, 1] += 1
    first, second = (learner.states(learner.expander(each), there)[0] for each in (grid, other))
    of_third = slice(1 + 2 * 4, 1 + 3 * 4)
    assert torch.equal(first[:, of_third], second[:, of_third]) == (not moves)
    assert not torch.allclose(first[:, 0], second[:, 0]), "cls reads all from the start"


def test_of_one_block_and_one_token_it_is_one_softmax_over_what_there_is() -> None:
    learner = make_learner("mt", layers=1, heads=1, tokens_per_modality=1, width=8).eval()
    block = learner.blocks[0]
    block.feed = None
    grid, presence = full_grid(), presences()
    found = learner(grid.transpose(0, 1), as_grid(presence)).pooled
    for patient in range(12):
        has = presence[patient].nonzero().flatten()
        tokens = (learner.expander(grid[[patient]]) + learner.kind)[0, has, 0]
        rows = block.norm(torch.cat([learner.cls.unsqueeze(0), tokens]))
        scores = block.attention.key(rows) @ block.attention.query(rows[0]) / 8**0.5
        read = block.attention.out(scores.softmax(0) @ block.attention.value(rows))
        torch.testing.assert_close(found[patient], learner.norm(learner.cls + read))


@pytest.mark.parametrize("fusion_from", [0, 1])
def test_the_subset_task_is_a_prediction_from_a_proper_subset(fusion_from: int) -> None:
    learner, presence = make_learner("mt", edge_drop=0.0, fusion_from=fusion_from).train(), presences()
    grid = full_grid()
    torch.manual_seed(3)
    found = learner(grid.transpose(0, 1), as_grid(presence))
    (part,) = found.parts.values()
    assert torch.equal(part.rows, presence.sum(1) > 1)
    candidates = {}
    for kept in range(1, 31):
        subset = presence & torch.tensor([bool(kept >> k & 1) for k in range(5)])
        candidates[kept] = subset, learner.eval()(grid.transpose(0, 1), as_grid(subset)).pooled
    for patient in part.rows.nonzero().flatten().tolist():
        fits = [
            subset[patient]
            for subset, codes in candidates.values()
            if torch.allclose(codes[patient], part.code[patient], atol=1e-5)
        ]
        assert fits
        assert 0 < int(fits[0].sum()) < int(presence[patient].sum())
    assert learner.eval()(grid.transpose(0, 1), as_grid(presence)).parts == {}


def test_who_has_nothing_gets_what_cls_alone_comes_to() -> None:
    learner = make_learner("mt").eval()
    rows = learner.cls.expand(1, 1, -1)
    for block in learner.blocks:
        rows = block(rows, torch.ones(1, 1, 1, dtype=torch.bool))
    found = learner(full_grid().transpose(0, 1), as_grid(presences())).pooled[3]
    torch.testing.assert_close(found, nn.functional.layer_norm(rows[0, 0], (8,)))
