"""smil: its formula, its centres, and the meta-step against numerical second derivatives and a step done by hand."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from gdsfd.nn.backbones import SmilBackbone, Task
from gdsfd.nn.embeddings import Embeddings
from tests.nn.backbones.learner_case import (
    LearnerCase,
    as_grid,
    full_grid,
    layout_of,
    make_learner,
    presences,
    tokens_of,
)

NOTHING = {"meta": 0.0, "inputs": 0.0, "codes": 0.0}


class TestSmil(LearnerCase, weightless=NOTHING):
    name = "smil"

    def test_u7_unlabelled_patients_do_not_move_the_outcomes_loss(self) -> None:
        self.options = {"inputs": 0.0, "codes": 0.0}  # which are no outcome's, and look at everybody
        super().test_u7_unlabelled_patients_do_not_move_the_outcomes_loss()


def remembering(learner: SmilBackbone) -> SmilBackbone:
    layout = layout_of(presences(None))
    learner.fit_memory(lambda: [(tokens_of(full_grid(7), layout), layout)])
    return learner


def test_centres_are_of_each_modality_and_a_modality_that_nobody_has_has_none() -> None:
    learner, presence = make_learner("smil", centres=3), presences()
    layout = layout_of(presence)
    learner.fit_memory(lambda: [(tokens_of(full_grid(7), layout), layout)])
    assert learner.is_centre.sum(1).tolist() == [3, 3, 0, 3, 3]
    assert (learner.bank[2] == 0).all()
    first = full_grid(7)[presence[:, 0], 0]
    apart = torch.cdist(first, learner.bank[0])
    nearest = apart.argmin(1)
    for number in range(3):
        torch.testing.assert_close(learner.bank[0, number], first[nearest == number].mean(0))


def test_a_weight_that_is_one_centres_alone_gives_that_centre() -> None:
    learner, presence = remembering(make_learner("smil")).eval(), presences()
    with torch.no_grad():
        learner.weigh.weight.zero_()
        learner.weigh.bias.fill_(-200.0)
        learner.weigh.bias[:, 3] = 50.0
    assert learner.is_centre[:, 3].all()
    grid = full_grid() * presence.unsqueeze(2)
    plain = learner.completed(grid, presence.float())[0].view(12, 5, 8)
    expected = torch.where(presence.unsqueeze(2), grid, learner.bank[:, 3])
    torch.testing.assert_close(plain, expected)


def test_it_is_its_formula_and_of_complete_patients_without_noise_two_layers() -> None:
    learner, grid, presence = remembering(make_learner("smil")).eval(), full_grid(), presences()
    found = learner(grid.transpose(0, 1), as_grid(presence))
    for patient in (3, 4, 6):
        has = presence[patient].nonzero().flatten().tolist()
        context = torch.stack([grid[patient, k] + learner.kind[k] for k in has]).mean(0) if has else torch.zeros(8)
        tokens = []
        for k in range(5):
            weight = F.softplus(learner.weigh.weight[k] @ context + learner.weigh.bias[k]) * learner.is_centre[k]
            tokens.append(grid[patient, k] if k in has else (weight / weight.sum()) @ learner.bank[k])
        x = torch.cat(tokens) + F.softplus(learner.lift_inputs(context))
        code = torch.relu(learner.fusion.first(x)) + F.softplus(learner.lift_codes(x))
        torch.testing.assert_close(found.pooled[patient], code, atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(found.logits[patient], learner.fusion.head(code), atol=1e-5, rtol=1e-4)
    quiet = make_learner("smil", noise=0.0).eval()
    complete = torch.ones(12, 5, dtype=torch.bool)
    expected = quiet.fusion.head(torch.relu(quiet.fusion.first(grid.flatten(1))))
    torch.testing.assert_close(quiet(grid.transpose(0, 1), as_grid(complete)).logits, expected)


class Ignores(SmilBackbone):
    """A functional forward that reads the weights before the inner step."""

    def adapted(self, loss):
        super().adapted(loss)
        return dict(self.fusion.named_parameters())


def double(kind: type[SmilBackbone], **options: float) -> SmilBackbone:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        options = {"noise": 0.0, "inner_rate": 0.5, "inputs": 0.0, "codes": 0.0, **options}
        learner = kind(8, 5, dropout=0.0, **options)
        learner.set_task(Task(3, tuple("abcde")))
    return remembering(learner).double().train()


def loss_of(learner: SmilBackbone, seen: list[tuple[Tensor, Tensor]] | None = None) -> Tensor:
    """The training loss of twelve complete patients; ``seen`` gets whose losses were asked for, and of what logits."""
    y = torch.randint(0, 3, (12,), generator=torch.Generator().manual_seed(4))

    def criterion(found: Embeddings, rows: Tensor | None = None) -> Tensor:
        if seen is not None:
            seen.append((rows, found.logits))
        return F.cross_entropy(found.logits, y[rows])

    layout = layout_of(torch.ones(12, 5, dtype=torch.bool))
    with torch.random.fork_rng():
        torch.manual_seed(3)
        return learner.training_loss(tokens_of(full_grid().double(), layout), layout, y, criterion)


def check_the_step(kind: type[SmilBackbone]) -> None:
    """The second half is scored by weights that went down the first half's loss, by hand."""
    learner, seen = double(kind), []
    found = loss_of(learner, seen)
    (whole, _), (again, thin_logits), (other, adapted_logits) = seen
    assert torch.equal(whole, again)
    assert sorted([*whole.tolist(), *other.tolist()]) == list(range(12))
    y = torch.randint(0, 3, (12,), generator=torch.Generator().manual_seed(4))
    weights = list(learner.fusion.parameters())
    gradients = torch.autograd.grad(F.cross_entropy(thin_logits, y[whole]), weights, retain_graph=True)
    with torch.no_grad():
        for weight, gradient in zip(weights, gradients):
            weight.sub_(0.5 * gradient)
    # The same draws with a rate of 0 score the second half by the weights as they now are.
    stepped, again_seen = learner, []
    stepped.inner_rate = 0.0
    loss_of(stepped, again_seen)
    torch.testing.assert_close(adapted_logits, again_seen[2][1])
    assert found.item() == pytest.approx(
        F.cross_entropy(seen[0][1], y[whole]).item() + F.cross_entropy(adapted_logits, y[other]).item()
    )


def test_the_second_half_is_scored_by_adapted_weights() -> None:
    check_the_step(SmilBackbone)
    with pytest.raises(AssertionError):
        check_the_step(Ignores)


def test_gradients_go_through_the_step_and_of_first_order_do_not() -> None:
    """Of the whole loss as a function of a weight, by central differences."""
    learner = double(SmilBackbone)
    places = [(learner.fusion.first.weight, (2, 3)), (learner.fusion.head.weight, (1, 4)), (learner.kind, (1, 2))]
    gradients = torch.autograd.grad(loss_of(learner), [weight for weight, _ in places])
    learner.first_order = True
    first = torch.autograd.grad(loss_of(learner), [weight for weight, _ in places])
    learner.first_order = False
    differ = 0
    for (weight, place), gradient, other in zip(places, gradients, first):
        values = []
        for step in (1e-5, -1e-5):
            with torch.no_grad():
                weight[place] += step
            values.append(loss_of(learner).item())
            with torch.no_grad():
                weight[place] -= step
        numeric = (values[0] - values[1]) / 2e-5
        assert gradient[place].item() == pytest.approx(numeric, abs=1e-7, rel=1e-5)
        differ += abs(other[place].item() - numeric) > 1e-4
    assert differ > 0


def test_of_a_quadratic_the_meta_gradient_is_that_of_its_closed_form() -> None:
    """(I - eta H_a) g_b(theta'), with H_a the first loss's second derivative."""
    learner = double(SmilBackbone)
    weight = learner.fusion.head.bias
    curve = torch.tensor([[2.0, 0.5, 0.0], [0.5, 1.0, 0.2], [0.0, 0.2, 3.0]], dtype=torch.double)
    target = torch.tensor([1.0, -2.0, 0.5], dtype=torch.double)
    rest = sum(0.0 * each.sum() for each in learner.fusion.parameters())
    for first_order in (False, True):
        learner.first_order = first_order
        moved = learner.adapted(0.5 * weight @ curve @ weight + weight.sum() + rest)["head.bias"]
        (gradient,) = torch.autograd.grad(0.5 * (moved - target).square().sum(), weight)
        expected = moved - target if first_order else (torch.eye(3) - 0.5 * curve) @ (moved - target)
        torch.testing.assert_close(gradient, expected)
        torch.testing.assert_close(moved, weight - 0.5 * (curve @ weight + 1))


def test_what_is_thinned_is_drawn_to_what_is_whole() -> None:
    learner, seen = double(SmilBackbone), []
    without = loss_of(learner, seen)
    learner.inputs, learner.codes = 2.0, 3.0
    kept: list[Tensor] = []
    plain_completed = learner.completed

    def completed(grid, there):
        found = plain_completed(grid, there)
        kept.append(found[0])
        return found

    learner.completed = completed
    found = loss_of(learner)
    _, _, thin, full = kept
    gradients = torch.autograd.grad(
        F.cross_entropy(seen[1][1], torch.randint(0, 3, (12,), generator=torch.Generator().manual_seed(4))[seen[1][0]]),
        [learner.fusion.first.weight, learner.fusion.first.bias],
    )
    weight, bias = (
        each - 0.5 * gradient
        for each, gradient in zip((learner.fusion.first.weight, learner.fusion.first.bias), gradients)
    )
    codes = [torch.relu(each @ weight.t() + bias) for each in (thin, full)]
    expected = 2.0 * F.mse_loss(thin, full) + 3.0 * F.mse_loss(*codes)
    torch.testing.assert_close(found - without, expected)
    assert thin.shape == (6, 40)
