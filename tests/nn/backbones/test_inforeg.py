"""inforeg: the pull against the gradient of its penalty, who is pulled and when, and nothing without strength."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from gdsfd.graph.from_cohort import graph_from_cohort
from gdsfd.nn.backbones import Backbone, InforegBackbone, Task
from gdsfd.nn.backbones.registry import BACKBONES
from gdsfd.training.arm import build_network
from gdsfd.training.config import TrainConfig
from gdsfd.training.loop import train
from tests.cohort_factory import make_cohort
from tests.nn.backbones.learner_case import NAMES, LearnerCase, as_grid, full_grid, make_learner, presences


class TestInforeg(LearnerCase, weightless={"parts": 0.0}):
    name = "inforeg"


def test_scores_are_sums_of_those_of_modalities() -> None:
    learner, grid, presence = make_learner("inforeg").eval(), full_grid(), presences()
    learner.bias.data = torch.tensor([0.3, -0.2, 0.1])
    found = learner(grid.transpose(0, 1), as_grid(presence))
    for patient in (3, 4, 6):
        own = {k: learner.heads.weight[k] @ grid[patient, k] for k in presence[patient].nonzero().flatten().tolist()}
        torch.testing.assert_close(found.logits[patient], learner.bias + sum(own.values()), atol=1e-5, rtol=1e-4)
        for k, one in own.items():
            torch.testing.assert_close(found.parts[NAMES[k]].logits[patient], one + learner.bias)


@pytest.mark.parametrize("outcomes", ["classes", "binary"])
def test_the_truth_is_the_mean_probability_of_true_labels(outcomes: str) -> None:
    generator = torch.Generator().manual_seed(0)
    scores, there = torch.randn(6, 3, 2, generator=generator), torch.ones(6, 3)
    there[:, 2], there[2, 0] = 0, 0
    if outcomes == "classes":
        y = torch.tensor([0, 1, 1, -1, 0, 1])
        expected = [
            torch.stack([scores[i, k].softmax(0)[y[i]] for i in range(6) if there[i, k] and y[i] >= 0]).mean()
            for k in range(2)
        ]
    else:
        y = torch.randint(0, 2, (6, 2), generator=generator).float()
        y[3, 1] = math.nan
        expected = [
            torch.stack(
                [
                    torch.sigmoid(scores[i, k, c] if y[i, c] > 0 else -scores[i, k, c])
                    for i in range(6)
                    for c in range(2)
                    if there[i, k] and not torch.isnan(y[i, c])
                ]
            ).mean()
            for k in range(2)
        ]
    found = InforegBackbone.truth(scores, there, y)
    torch.testing.assert_close(found[:2], torch.stack(expected))
    assert torch.isnan(found[2])


class Damping(InforegBackbone):
    """Gradients times one less the factor, in place of a pull to where the epoch began."""

    def after_backward(self, groups):
        pulls = self.pulls(self._truth, self._growing)
        for number, name in enumerate(self.modality_names):
            for weight in groups[f"encoder:{name}"]:
                weight.grad.mul_(1 - pulls[number])


def check_the_pull(learner: InforegBackbone) -> None:
    learner.set_task(Task(1, NAMES[:3]))
    generator = torch.Generator().manual_seed(0)
    weights = {name: nn.Parameter(torch.randn(4, 2, generator=generator)) for name in NAMES[:3]}
    groups = {f"encoder:{name}": [weight] for name, weight in weights.items()}
    start = {name: weight.detach().clone() for name, weight in weights.items()}
    learner._truth = torch.tensor([0.55, 0.7, 0.5])
    learner.start_epoch(0)
    beta = 0.95 * math.exp(math.tanh((0.7 - 0.525) / 0.05))
    for step in range(3):
        with torch.no_grad():
            gradients = {name: torch.randn(4, 2, generator=generator) for name in weights}
            for name, weight in weights.items():
                weight.add_(0.1 * step)
                weight.grad = gradients[name].clone()
            learner.after_backward(groups)
        penalty = 0.5 * beta * (weights["b"] - start["b"]).square().sum()
        expected = gradients["b"] + torch.autograd.grad(penalty, weights["b"])[0]
        torch.testing.assert_close(weights["b"].grad, expected)
        torch.testing.assert_close(weights["a"].grad, gradients["a"])
        torch.testing.assert_close(weights["c"].grad, gradients["c"])


def test_the_pull_is_the_gradient_of_a_penalty_on_the_way_from_the_epochs_start() -> None:
    check_the_pull(InforegBackbone(8, 3))
    with pytest.raises(AssertionError):
        check_the_pull(Damping(8, 3))


def test_only_who_leads_and_still_grows_is_pulled() -> None:
    learner = make_learner("inforeg", modalities=3)
    every = torch.ones(3, dtype=torch.bool)
    truth = torch.tensor([0.6, 0.75, 0.7])
    found = learner.pulls(truth, every)
    assert found[0] == 0
    torch.testing.assert_close(found[1], torch.tensor(0.95 * math.exp(math.tanh((0.75 - 0.65) / 0.05))))
    torch.testing.assert_close(found[2], torch.tensor(0.95 * math.exp(math.tanh((0.7 - 0.675) / 0.05))))
    assert learner.pulls(truth, torch.tensor([True, False, False])).tolist() == [0, 0, 0]
    nan = math.nan
    assert learner.pulls(torch.tensor([nan, 0.75, nan]), every).tolist() == [0, 0, 0], "nobody to lead before"
    assert torch.isfinite(learner.pulls(torch.tensor([0.5, 0.75, nan]), every)).all()
    assert learner.pulls(torch.tensor([nan] * 3), every).tolist() == [0, 0, 0]


def test_a_trace_that_is_constant_has_stopped_growing_and_windows_are_what_there_is() -> None:
    learner = make_learner("inforeg", modalities=2)
    traces = [(1.0, 1.0), (1.0, 2.0), (1.0, 4.0), (1.0, 4.0), (1.0, 4.1)]
    grows = []
    for epoch, trace in enumerate(traces):
        learner.start_epoch(epoch)
        grows.append(learner.growing().tolist())
        learner.total.copy_(torch.tensor(trace))
        learner.end_epoch({})
    grows.append(learner.growing().tolist())
    assert grows[:2] == [[True, True], [True, True]], "fewer than two epochs tell nothing"
    assert grows[2] == [False, True]
    assert grows[3] == [False, True], "of three epochs the last two, one each"
    assert grows[4] == [False, True], "(4 + 4) to (1 + 2)"
    assert grows[5] == [False, True], "(4 + 4.1) to (2 + 4)"
    for _ in range(20):
        learner.end_epoch({})
    assert learner.growing().tolist() == [False, False]


def test_the_trace_is_the_sum_over_weights_of_mean_squares_summed_over_steps() -> None:
    learner = make_learner("inforeg", modalities=2)
    weights = [nn.Parameter(torch.zeros(2, 3)), nn.Parameter(torch.zeros(3)), nn.Parameter(torch.zeros(2))]
    learner.start_epoch(0)
    gradients = torch.randn(2, 2, 3, generator=torch.Generator().manual_seed(0))
    for gradient in gradients:
        weights[0].grad, weights[1].grad, weights[2].grad = gradient.clone(), gradient[0].clone(), None
        with torch.no_grad():
            learner.after_backward({"encoder:a": weights[:2], "encoder:b": weights[2:]})
    learner.end_epoch({})
    expected = gradients.square().sum(0).mean() + gradients[:, 0].square().sum(0).mean()
    torch.testing.assert_close(learner.trace[:, -1], torch.tensor([float(expected), 0.0]))


def test_of_one_modality_gradients_stay_as_they_are() -> None:
    learner, weight = make_learner("inforeg", modalities=1).train(), nn.Parameter(torch.randn(4))
    for step in range(2):
        learner(full_grid()[:, :1].transpose(0, 1), as_grid(presences()[:, :1]), torch.zeros(12, dtype=torch.long))
        gradient = torch.randn(4)
        with torch.no_grad():
            weight.add_(step)
            weight.grad = gradient.clone()
            learner.after_backward({"encoder:a": [weight]})
        assert torch.equal(weight.grad, gradient)
    assert torch.isfinite(learner._truth).all()


class Plain(InforegBackbone):
    """Without its hooks."""

    takes_grid = False
    start_epoch, end_epoch = Backbone.start_epoch, Backbone.end_epoch
    after_backward = Backbone.after_backward


def test_without_strength_a_run_is_that_without_hooks_and_with_it_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = {name: BACKBONES.find(name) for name in BACKBONES.names()}
    monkeypatch.setattr(BACKBONES, "_parts", {**parts, "plain": Plain})
    graph = graph_from_cohort(make_cohort(60))

    def weights(name: str, strength: float) -> dict[str, torch.Tensor]:
        options = {"strength": strength}
        config = TrainConfig(max_epochs=2, members=1, channels=8, batch_size=16, backbone_options=options).resolved(40)
        network = build_network(graph.schema, name, None, config, 0)
        train(network, graph, config, 1)
        return {key: value.detach() for key, value in network.named_parameters()}

    expected, without, with_it = weights("plain", 0.0), weights("inforeg", 0.0), weights("inforeg", 5.0)
    assert all(torch.equal(without[key], value) for key, value in expected.items())
    moved = {key.split(".")[2] for key, value in expected.items() if not torch.equal(with_it[key], value)}
    assert "encoders" in moved


def test_the_loss_has_every_modality_by_itself() -> None:
    learner = make_learner("inforeg", modalities=2).train()
    y = torch.randint(0, 3, (12,), generator=torch.Generator().manual_seed(0))
    found = learner(full_grid()[:, :2].transpose(0, 1), as_grid(torch.ones(12, 2, dtype=torch.bool)), y)
    assert learner.parts_weight == 1.0
    assert list(found.parts) == ["a", "b"]
    expected = F.cross_entropy(full_grid()[:, 0] @ learner.heads.weight[0].t() + learner.bias, y)
    torch.testing.assert_close(F.cross_entropy(found.parts["a"].logits, y), expected)
