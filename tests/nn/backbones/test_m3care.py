"""m3care: similarities, the edges that are kept, imputation from a twin, and the bank."""

from __future__ import annotations

import torch
from torch import nn

from gdsfd.nn.backbones import M3CareBackbone
from gdsfd.nn.backbones.m3care import _Kernel
from tests.nn.backbones.learner_case import LearnerCase, as_grid, full_grid, layout_of, make_learner, tokens_of
from tests.nn.backbones.learner_case import presences as some_presences


class TestM3Care(LearnerCase, weightless={"norms": 0.0}):
    name = "m3care"
    unmoved = ("mixture",)  # of so few patients many have one neighbour, whose weight is 1 whatever the similarity
    reads_batch = True  # neighbours are of the batch in training, of the bank in evaluation


def fitted(grid: torch.Tensor, presence: torch.Tensor, **options: float):
    learner, layout = make_learner("m3care", **options).eval(), layout_of(presence)
    learner.fit_memory(lambda: [(tokens_of(grid, layout), layout)])
    return learner


def test_similarities_are_means_over_shared_modalities() -> None:
    grid, presence = full_grid(), some_presences()
    learner, there = fitted(grid, presence), presence.float()
    masked = grid * there.unsqueeze(2)
    placed = learner.placed(masked, there)
    found = learner.similarity(placed, placed)
    projected, share = learner.project(grid), torch.sigmoid(learner.mixture)

    def kernel(a: torch.Tensor, b: torch.Tensor, width: torch.Tensor) -> torch.Tensor:
        return sum(torch.exp(-(a - b).square().sum() / (2.0**r * width)) for r in (-1, 0, 1)) / 3

    for i in (0, 3, 4):
        for j in range(12):
            each = [
                (1 - share[k]) * kernel(projected[i, k], projected[j, k], learner.width[k])
                + share[k] * kernel(grid[i, k], grid[j, k], learner.width[k])
                for k in range(5)
                if presence[i, k] and presence[j, k]
            ]
            expected = sum(each) / len(each) if each else torch.zeros(())
            torch.testing.assert_close(found[i, j], expected, atol=1e-5, rtol=1e-4)
    assert ((found >= 0) & (found <= 1 + 1e-5)).all()
    alike = found.diagonal()[presence.any(1)]
    torch.testing.assert_close(alike, torch.ones_like(alike), atol=1e-4, rtol=0)


def test_the_kernel_and_its_slope_are_those_of_its_formula() -> None:
    exponent = torch.tensor([-79.0, -7.0, -1.5, -0.2, 0.0], dtype=torch.double).requires_grad_()
    base = torch.exp(exponent)
    expected = base + base**2 + base**4
    torch.testing.assert_close(_Kernel.apply(exponent)[0], expected)
    (slope,) = torch.autograd.grad(expected.sum(), exponent)
    torch.testing.assert_close(torch.autograd.grad(_Kernel.apply(exponent)[0].sum(), exponent)[0], slope)
    mapped = torch.vmap(lambda each: _Kernel.apply(each)[0])(torch.stack([exponent, 2 * exponent], 1).t())
    torch.testing.assert_close(mapped, torch.stack([expected, base**2 + base**4 + base**8]))
    assert _Kernel.apply(torch.tensor([-1e5]))[0] < 1e-30, "out of range it is what it is at the range's end"


def test_at_the_start_some_but_not_most_patients_are_neighbours() -> None:
    """With CareBench's threshold and scaling nobody ever is, and the threshold has no gradient."""
    torch.manual_seed(0)
    learner = M3CareBackbone(128, 5)  # in many channels all patients are about as far apart
    grid, presence = torch.randn(64, 5, 128), torch.rand(64, 5) < 0.6
    layout = layout_of(presence)
    learner.eval().fit_memory(lambda: [(tokens_of(grid, layout), layout)])
    placed = learner.placed(grid * presence.unsqueeze(2), presence.float())
    edges = learner.edges(placed, placed, itself=True)
    assert 0 < float((edges > 0).float().mean()) < 0.5
    edges.sum().backward()
    assert learner.threshold.grad < 0
    assert (learner.mixture.grad != 0).all()


def test_a_twin_who_has_it_gives_its_token() -> None:
    presence = torch.tensor([[True, False, True, True, True], [True, True, True, True, True]])
    grid = full_grid()[:1].abs().expand(2, 5, 8).clone()
    far = torch.cat([grid[1:], grid[1:] + 50.0, grid[:1]])  # the twin, a stranger, and one like the patient itself
    learner = fitted(far, torch.cat([presence[1:], presence[1:], presence[:1]]))
    for linear in (learner.first, learner.second):
        linear.weight.data = torch.eye(8).expand(5, 8, 8).clone()
        nn.init.zeros_(linear.bias)
    learner.bank_states = learner.bank_tokens
    there = presence[:1].float()
    patient = grid[:1] * there.unsqueeze(2)
    edges = learner.edges(learner.placed(patient, there), learner.placed(learner.bank_tokens, learner.bank_there))
    assert (edges[0] > 0).tolist() == [True, False, True]
    imputed = learner.step(learner.second, edges, learner.bank_states, learner.bank_there)
    torch.testing.assert_close(imputed[0, 1], grid[1, 1])  # the other, who has none of it, takes no part


def test_in_training_nobody_is_their_own_neighbour() -> None:
    grid, there = torch.zeros(2, 5, 8), torch.ones(2, 5)  # both the same
    learner = make_learner("m3care")
    edges = learner.edges(learner.placed(grid, there), learner.placed(grid, there), itself=True)
    assert (edges.diagonal() == 0).all()
    assert (edges[0, 1], edges[1, 0]) == (1.0, 1.0)


def test_in_training_the_first_of_a_batch_are_the_neighbours_of_all() -> None:
    """Of six patients only the first three may be anybody's: what the others' tokens are changes nobody's code."""
    torch.manual_seed(0)
    grid, there = torch.randn(6, 5, 8), (torch.rand(6, 5) < 0.7).float()
    there[:, 0] = 1
    learner = make_learner("m3care", among=3, edge_drop=0.0, norms=0.0).train()
    learner.threshold.data.fill_(-9.0)  # everybody alike enough
    shown = grid * there.unsqueeze(2)
    pooled = learner.fuse(shown, there, None).pooled
    other = shown.clone()
    other[5] = torch.randn(5, 8) * there[5].unsqueeze(1)
    torch.testing.assert_close(learner.fuse(other, there, None).pooled[:5], pooled[:5])
    other = shown.clone()
    other[1] = 0.5 * torch.randn(5, 8) * there[1].unsqueeze(1)
    assert not torch.allclose(learner.fuse(other, there, None).pooled[4], pooled[4])
    whole = make_learner("m3care", among=6, edge_drop=0.0, norms=0.0).train()
    whole.load_state_dict(learner.state_dict())
    mine = whole.placed(shown, there)
    edges = whole.edges(mine, mine, itself=True)
    part = type(mine)(mine.tokens[:, :3], mine.squares[:, :3], there[:3])
    torch.testing.assert_close(learner.edges(mine, part, itself=True), edges[:, :3])


def test_only_the_nearest_are_kept() -> None:
    grid, there = torch.linspace(0, 1, 12).view(12, 1, 1).expand(12, 5, 8).contiguous(), torch.ones(12, 5)
    learner = make_learner("m3care", neighbours=3)
    placed = learner.placed(grid, there)
    edges = learner.edges(placed, placed, itself=True)
    assert ((edges > 0).sum(1) == 3).sum() >= 2  # ties are kept: those between two neighbours have two on a side
    assert (edges[0] > 0).nonzero().flatten().tolist() == [1, 2, 3]


def test_a_bank_patient_who_is_nobodys_neighbour_changes_nothing() -> None:
    grid, presence = full_grid(), some_presences()
    learner = fitted(grid, presence)
    layout = as_grid(presence)
    expected = learner(grid.transpose(0, 1), layout).pooled
    learner.bank_tokens = torch.cat([learner.bank_tokens, torch.full((1, 5, 8), 99.0)])
    learner.bank_there = torch.cat([learner.bank_there, torch.ones(1, 5)])
    learner.bank_states = torch.cat([learner.bank_states, torch.full((1, 5, 8), 99.0)])
    torch.testing.assert_close(learner(grid.transpose(0, 1), layout).pooled, expected)
