"""aug: its scores and losses written out, who gets a layer, and that layers that were added are trained."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.nn.backbones import AugBackbone
from gdsfd.nn.backbones.registry import BACKBONES
from gdsfd.training.arm import build_network
from gdsfd.training.config import TrainConfig
from gdsfd.training.loop import train
from tests.cohort_factory import make_cohort
from tests.nn.backbones.learner_case import (
    NAMES,
    LearnerCase,
    as_grid,
    full_grid,
    layout_of,
    make_learner,
    presences,
    tokens_of,
    training_loss,
)


class TestAug(LearnerCase, weightless={"parts": 0.0}):
    name = "aug"
    unmoved = ("added",)  # no layer counts yet


class TestWithLayers(LearnerCase, weightless={"parts": 0.0}):
    name = "aug"

    def learner(self, **options):
        made = super().learner(**options)
        made.depth.copy_(torch.tensor([2.0, 0.0, 1.0, 4.0, 1.0]))
        return made


def scores_of(learner: AugBackbone, row: torch.Tensor, k: int, depth: int) -> list[torch.Tensor]:
    """The scores of modality k with 0, 1, .. layers."""
    found = [learner.head.weight @ torch.relu(learner.first.weight[k] @ row + learner.first.bias[k]) + learner.bias]
    for j in range(depth):
        at = slice(8 * j, 8 * (j + 1))
        layer = torch.relu(learner.added.weight[k, at] @ row + learner.added.bias[k, at])
        found.append(found[-1] + learner.head.weight @ layer)
    return found


def test_without_layers_it_is_late_fusion_with_one_head_and_with_them_their_sum() -> None:
    learner, grid, presence = make_learner("aug").eval(), full_grid(), presences()
    learner.bias.data = torch.tensor([0.3, -0.2, 0.1])
    for depths in ([0] * 5, [2, 1, 0, 0, 3]):
        learner.depth.copy_(torch.tensor(depths))
        again = make_learner("aug").eval()
        again.load_state_dict(learner.state_dict())
        found = again(grid.transpose(0, 1), as_grid(presence))
        for patient in (3, 4, 6):
            has = presence[patient].nonzero().flatten().tolist()
            each = [scores_of(learner, grid[patient, k], k, depths[k])[-1] for k in has]
            expected = torch.stack(each).mean(0) if has else learner.bias
            torch.testing.assert_close(found.logits[patient], expected, atol=1e-5, rtol=1e-4)
            for k, one in zip(has, each):
                torch.testing.assert_close(found.parts[NAMES[k]].logits[patient], one, atol=1e-5, rtol=1e-4)


def test_the_losses_are_the_authors_form_of_them() -> None:
    """That is CE(last) less half the CE of the last layer to the label times what was predicted before."""
    learner, grid, presence = make_learner("aug").train(), full_grid(), presences()
    depths = [2, 1, 0, 0, 3]
    learner.depth.copy_(torch.tensor(depths))
    y = torch.randint(0, 3, (12,), generator=torch.Generator().manual_seed(0))
    layout = layout_of(presence)
    found = training_loss(learner, nn.Linear(8, 3), tokens_of(grid, layout), layout, y)
    logits = learner(tokens_of(grid, layout), layout, y).logits
    expected = F.cross_entropy(logits, y)
    for k in range(5):
        terms = []
        for i in presence[:, k].nonzero().flatten().tolist():
            scores = scores_of(learner, grid[i, k], k, depths[k])
            loss = F.cross_entropy(scores[-1], y[i])
            if depths[k]:
                last = scores[-1] - scores[-2] + learner.bias
                target = F.one_hot(y[i], 3) * scores[-2].softmax(0).detach()
                half = 0.5 * -(target * last.log_softmax(0)).sum()
                loss = loss + F.cross_entropy(scores[-2], y[i]) + F.cross_entropy(last, y[i]) - half
            terms.append(loss)
        if terms:
            expected = expected + torch.stack(terms).mean()
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)
    gradients = [torch.autograd.grad(each, learner.added.weight, retain_graph=True)[0] for each in (found, expected)]
    torch.testing.assert_close(*gradients, atol=1e-5, rtol=1e-3)
    for k, depth in enumerate(depths):
        if presence[:, k].any():
            assert (gradients[0][k, 8 * depth :] == 0).all(), "layers that do not count learn nothing"
            assert all((gradients[0][k, 8 * j : 8 * (j + 1)] != 0).any() for j in range(depth))


@pytest.mark.parametrize(
    ("truth", "depth", "weakest"),
    [
        ([0.6, 0.5, 0.7], [0, 0, 0], 1),
        ([0.6, 0.597, 0.6], [0, 0, 0], None),
        ([0.6, math.nan, 0.7], [0, 0, 0], 0),
        ([math.nan] * 3, [0, 0, 0], None),
        ([0.6, 0.5, 0.7], [0, 4, 0], None),
        ([0.6, 0.5, 0.7], [1, 3, 2], 1),
    ],
)
def test_the_weakest_gets_a_layer(truth: list[float], depth: list[int], weakest: int | None) -> None:
    learner = make_learner("aug", modalities=3)
    learner.depth.copy_(torch.tensor(depth))
    figures = {f"truth of {name}": value for name, value in zip(NAMES, truth)}
    for epoch in (1, 2, 3):  # of 20 epochs every second one
        learner.end_epoch({"epoch": epoch, "max_epochs": 20, **(figures if epoch == 1 else {})})
    assert learner.depth.tolist() == [each + (number == weakest) for number, each in enumerate(depth)]
    learner = make_learner("aug", modalities=3)
    for epoch in range(1, 21):
        learner.end_epoch({"epoch": epoch, "max_epochs": 20, **dict.fromkeys(figures, 0.5), "truth of a": 0.1})
    assert learner.depth.tolist() == [4.0, 0.0, 0.0]


class AddedTooLate(AugBackbone):
    """A layer is added after the optimiser was built, which does not know it."""

    takes_grid = False

    def end_epoch(self, figures):
        super().end_epoch(figures)
        self.added.weight = nn.Parameter(self.added.weight.detach().clone())
        self.added.bias = nn.Parameter(self.added.bias.detach().clone())


def check_layers_are_trained(name: str) -> None:
    graph = graph_from_cohort(make_cohort(60))
    config = TrainConfig(
        max_epochs=3, members=2, boosted_members=0, channels=8, batch_size=16, weight_decay=0.0
    ).resolved(40)
    network, after = build_network(graph.schema, name, None, config, 0), []

    def keep(row):
        after.append({key: value.clone() for key, value in network.state_dict().items()})

    train(network, graph, config, 1, on_epoch=keep)
    for member in range(2):
        depth = after[0][f"members.{member}.backbone.depth"]
        assert depth.sum() == 1
        k = int(depth.argmax())
        before, later = (each[f"members.{member}.backbone.added.weight"][k] for each in (after[0], after[1]))
        assert not torch.equal(before[:8], later[:8])
        assert torch.equal(before[8:], later[8:]), "layers that do not count yet stay as they were drawn"


def test_layers_that_were_added_are_trained(monkeypatch: pytest.MonkeyPatch) -> None:
    check_layers_are_trained("aug")
    monkeypatch.setattr(
        BACKBONES, "_parts", {**{name: BACKBONES.find(name) for name in BACKBONES.names()}, "late aug": AddedTooLate}
    )
    with pytest.raises(AssertionError):
        check_layers_are_trained("late aug")
