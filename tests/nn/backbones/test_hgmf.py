"""hgmf: its terms and messages patient by patient, who are neighbours, and that nobody is its own in training."""

from __future__ import annotations

import pytest
import torch

from gdsfd.nn.backbones import HgmfBackbone
from gdsfd.nn.fusion.patterns import nearest_pattern
from tests.nn.backbones.learner_case import (
    LearnerCase,
    as_grid,
    full_grid,
    layout_of,
    make_learner,
    presences,
    tokens_of,
)


class TestHgmf(LearnerCase, options={"least": 1}):
    name = "hgmf"
    reads_batch = True  # neighbours are of the batch in training, of the bank in evaluation


def fitted(presence: torch.Tensor, grid: torch.Tensor, **options: int) -> HgmfBackbone:
    learner, layout = make_learner("hgmf", **{"least": 1, **options}).eval(), layout_of(presence)
    with torch.no_grad(), torch.random.fork_rng():
        torch.manual_seed(5)
        for each in (learner.score, learner.score_single, learner.score_pair, learner.types):
            each.normal_()
    learner.fit_memory(lambda: [(tokens_of(grid, layout), layout)])
    return learner


def terms_of(learner: HgmfBackbone, row: torch.Tensor, has: list[int]) -> tuple[dict[int, torch.Tensor], torch.Tensor]:
    """phi of a patient's single modalities, and g."""
    single = {k: learner.single.weight[k] @ row[k] + learner.single.bias[k] for k in has}
    terms = [(learner.score @ single[k] + learner.score_single[k], single[k]) for k in has]
    for k in has:
        for other in has:
            if k < other:
                one = (learner.left.weight[k] @ row[k]) * (learner.right.weight[other] @ row[other])
                two = (learner.left.weight[other] @ row[other]) * (learner.right.weight[k] @ row[k])
                product = learner.product.weight @ (one + two) / 2
                score = learner.score_pair[k, other] + learner.score_pair[other, k]
                terms.append((learner.score @ product + score, product))
    if not terms:
        return single, torch.zeros(8)
    share = torch.stack([score for score, _ in terms]).softmax(0)
    return single, share @ torch.stack([term for _, term in terms])


def test_it_is_its_formula_patient_by_patient() -> None:
    grid, other_grid = full_grid(), full_grid(7)
    presence, bank = presences(), presences(None)
    learner = fitted(bank, other_grid, neighbours=4, patterns=5)
    found = learner(grid.transpose(0, 1), as_grid(presence)).pooled
    has_of = [each.nonzero().flatten().tolist() for each in bank]
    theirs = [terms_of(learner, row, has) for row, has in zip(other_grid, has_of)]
    types = nearest_pattern(bank.float(), learner.known).argmax(1).tolist()
    for i in (0, 3, 4, 6, 7):
        has = presence[i].nonzero().flatten().tolist()
        single, code = terms_of(learner, grid[i], has)
        mine = int(nearest_pattern(presence[[i]].float(), learner.known).argmax())
        likeness = {}
        for j, (other, _) in enumerate(theirs):
            shared = set(has) & set(has_of[j])
            if shared:
                pair = [torch.cat([each[k] for k in sorted(shared)]) for each in (single, other)]
                likeness[j] = torch.cosine_similarity(*pair, dim=0).item()
        near = sorted(likeness, key=lambda j: -likeness[j])[:4]
        query, told = learner.query.weight @ code, []
        for q in sorted({types[j] for j in near}):
            codes = torch.stack([theirs[j][1] for j in near if types[j] == q])
            share = (codes @ learner.key.weight.t() @ query / 8**0.5).softmax(0)
            summary = share @ codes
            score = query @ (learner.key.weight @ summary) / 8**0.5 + learner.types[mine, q]
            said = sum(learner.relation[mine, q, c] * (learner.basis.weight[c] @ summary) for c in range(4))
            told.append((score, said))
        expected = learner.own.weight @ code + learner.own.bias
        if told:
            expected = expected + torch.stack([each for each, _ in told]).softmax(0) @ torch.stack(
                [each for _, each in told]
            )
        torch.testing.assert_close(found[i], expected, atol=1e-5, rtol=1e-4)


def test_identity_maps_of_rank_d_squared_give_the_outer_product() -> None:
    learner, grid = make_learner("hgmf", rank=64), full_grid()
    with torch.no_grad():
        learner.left.weight.copy_(torch.eye(8).repeat_interleave(8, 0).expand(5, -1, -1))
        learner.right.weight.copy_(torch.eye(8).repeat(8, 1).expand(5, -1, -1))
    outer = grid[:, 1].unsqueeze(2) * grid[:, 3].unsqueeze(1)  # [B, d, d]
    at = [pair for pair in zip(*learner.pairs.tolist())].index((1, 3))
    found = learner.products(grid)[:, at].unflatten(1, (8, 8))
    torch.testing.assert_close(found, (outer + outer.transpose(1, 2)) / 2)


class ItsOwn(HgmfBackbone):
    """A patient is its own neighbour in training, and sees what inference cannot."""

    def near(self, terms, there, others, others_there, itself=False):
        return super().near(terms, there, others, others_there)


def check_left_out(kind: type[HgmfBackbone]) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        learner = kind(8, 5, dropout=0.0, edge_drop=0.0, least=1)
    presence = presences()
    layout = layout_of(presence)
    learner.eval().fit_memory(lambda: [(tokens_of(full_grid(7), layout), layout)])
    learner.train()
    alone = layout_of(presence[4:5])
    found = learner(full_grid()[4:5][alone.patient, alone.modality], alone).pooled
    there = presence[4:5].float()
    _, code = learner.code(full_grid()[4:5] * there.unsqueeze(2), there)
    torch.testing.assert_close(found, learner.own(code))


def test_in_training_nobody_is_its_own_neighbour() -> None:
    check_left_out(HgmfBackbone)
    with pytest.raises(AssertionError):
        check_left_out(ItsOwn)
    grid, presence = full_grid(), presences()
    learner = fitted(presence, full_grid(7))
    terms, _ = learner.code(grid * presence.unsqueeze(2), presence.float())
    near = learner.near(terms, presence.float(), terms, presence.float(), itself=True)
    assert not near.diagonal().any()
    assert near.any()
    assert (near.sum(1) <= 8).all()
    shares = presence.float() @ presence.float().t() > 0
    assert not (near & ~shares).any()


def test_a_row_of_the_bank_that_is_nobodys_neighbour_changes_nothing() -> None:
    bank, presence = presences(None), presences()
    learner = fitted(bank, full_grid(7), neighbours=2)
    tokens = full_grid() * presence.unsqueeze(2)
    terms, _ = learner.code(tokens, presence.float())
    near = learner.near(terms, presence.float(), learner.bank_terms, learner.bank_there)
    expected = learner(full_grid().transpose(0, 1), as_grid(presence)).pooled
    nobodys, somebodys = (~near.any(0)).nonzero().flatten().tolist(), int(near.any(0).nonzero()[0])
    assert nobodys

    def without(row: int) -> torch.Tensor:
        kept = torch.arange(len(bank)) != row
        other = fitted(bank, full_grid(7), neighbours=2)
        other.bank_codes, other.bank_terms = learner.bank_codes[kept], learner.bank_terms[kept]
        other.bank_there = learner.bank_there[kept]
        return other(full_grid().transpose(0, 1), as_grid(presence)).pooled

    for row in nobodys:
        torch.testing.assert_close(without(row), expected)
    assert not torch.allclose(without(somebodys), expected)


def test_a_single_neighbour_has_all_attention_and_an_empty_bank_none() -> None:
    presence = torch.ones(1, 5, dtype=torch.bool)
    learner = fitted(presence, full_grid(7)[:1])
    found = learner(full_grid()[:1].transpose(0, 1), as_grid(presence)).pooled
    _, code = learner.code(full_grid()[:1], torch.ones(1, 5))
    said = sum(learner.relation[0, 0, c] * (learner.basis.weight[c] @ learner.bank_codes[0]) for c in range(4))
    torch.testing.assert_close(found[0], learner.own(code)[0] + said)
    empty = make_learner("hgmf").eval()
    found = empty(full_grid()[:1].transpose(0, 1), as_grid(presence)).pooled
    torch.testing.assert_close(found, empty.own(empty.code(full_grid()[:1], torch.ones(1, 5))[1]))


def test_of_one_modality_there_are_no_products() -> None:
    learner = make_learner("hgmf", modalities=1).eval()
    found = learner(full_grid()[:, :1].transpose(0, 1), as_grid(presences(None)[:, :1])).pooled
    assert torch.isfinite(found).all()


def test_scores_far_apart_leave_every_pattern_a_mean_of_its_neighbours() -> None:
    presence = presences(None)
    learner = fitted(presence, full_grid(7), edge_drop=0.0)
    with torch.no_grad():
        learner.query.weight.mul_(1e4)
        learner.types.zero_()
    learner.train()
    tokens = full_grid().requires_grad_()
    found = learner(tokens.transpose(0, 1), as_grid(presence)).pooled
    found.square().sum().backward()
    assert torch.isfinite(found).all()
    assert torch.isfinite(tokens.grad).all()
    _, code = learner.code(full_grid() * presence.unsqueeze(2), presence.float())
    most = learner.relation.abs().max() * sum(torch.linalg.matrix_norm(each, 2) for each in learner.basis.weight)
    assert ((found - learner.own(code)).norm(dim=1) <= most * code.norm(dim=1).max() + 1e-5).all()
