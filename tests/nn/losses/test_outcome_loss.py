"""Weights, margins, and what they make a network learn."""

from __future__ import annotations

import torch

from gdsfd.nn.losses import outcome_loss
from gdsfd.nn.losses.outcome_loss import mean_over_labelled


def test_the_mean_is_over_labelled_elements_and_weights_do_not_change_the_divisor() -> None:
    loss = torch.tensor([1.0, 2.0, 4.0], requires_grad=True)
    labelled = torch.tensor([True, False, True])
    assert mean_over_labelled(loss, labelled).item() == 2.5
    weighted = mean_over_labelled(loss, labelled, torch.tensor([3.0, 9.0, 0.5]))
    assert weighted.item() == (3 + 2) / 2
    nothing = mean_over_labelled(loss, torch.zeros(3, dtype=torch.bool))
    assert nothing.item() == 0
    assert torch.autograd.grad(nothing, loss)[0].tolist() == [0, 0, 0]


def test_weights_multiply_elements() -> None:
    logits, y = torch.tensor([[0.5], [-1.0], [2.0]]), torch.tensor([[1.0], [1.0], [float("nan")]])
    each = [float(outcome_loss(logits[[row]], y[[row]])) for row in (0, 1)]
    weighted = outcome_loss(logits, y, weight=torch.tensor([[2.0], [0.5], [9.0]]))
    torch.testing.assert_close(float(weighted), (2.0 * each[0] + 0.5 * each[1]) / 2)


def test_margin_leaves_what_it_does_not_explain() -> None:
    # y goes with a cause c and with a stratum s; beside log P(y | s) - log P(y) the fitted slope of c is that of a
    # population in which y does not depend on s.
    generator = torch.Generator().manual_seed(0)
    y = (torch.rand(20_000, generator=generator) < 0.5).double()
    stratum = torch.where(torch.rand(20_000, generator=generator) < 0.9, y, 1 - y)
    cause = 0.8 * (2 * y - 1) + torch.randn(20_000, generator=generator, dtype=torch.float64)
    proxy = 1.5 * (2 * stratum - 1) + torch.randn(20_000, generator=generator, dtype=torch.float64)
    chance = torch.where(stratum > 0, 0.9, 0.1)
    margin = torch.log(chance / (1 - chance)).unsqueeze(1)
    inputs = torch.stack([cause, proxy], dim=1)
    slopes = [_fitted(inputs, y, beside) for beside in (None, margin)]
    assert abs(float(slopes[1][0]) - 1.6) < 0.06  # 2 m, the slope of log P(c | y)
    assert abs(float(slopes[1][1])) < 0.06
    assert float(slopes[0][1]) > 0.5


def test_multiclass_margin_is_added_before_the_softmax() -> None:
    logits, y = torch.randn(5, 3), torch.tensor([0, 1, 2, -1, 1])
    margin = torch.randn(5, 3)
    torch.testing.assert_close(outcome_loss(logits, y, margin=margin), outcome_loss(logits + margin, y))


def _fitted(inputs: torch.Tensor, y: torch.Tensor, margin: torch.Tensor | None) -> torch.Tensor:
    weight = torch.zeros(2, 1, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([weight], max_iter=50, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = outcome_loss(inputs @ weight, y.unsqueeze(1), margin=margin)
        loss.backward()
        return loss

    optimizer.step(closure)
    return weight.detach().squeeze()
