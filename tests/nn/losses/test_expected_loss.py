"""The loss expected over strata against a loop, and a case in which offset and average are exact."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from gdsfd.nn.losses import Targets, beside_margin, expected_loss, loss_beside_margin, outcome_loss
from tests.nn.objectives.labelled_elements import PATIENTS, chances, labels

STRATA = 3


def drawn(outcomes: str) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Logits, labels, shares, margins and weights."""
    y, generator = labels(outcomes), torch.Generator().manual_seed(1)
    outputs = 3 if outcomes == "multiclass" else y.size(1)
    share = torch.rand(PATIENTS, STRATA, generator=generator)
    return (
        torch.randn(PATIENTS, outputs, generator=generator).requires_grad_(),
        y,
        share / share.sum(1, keepdim=True),
        torch.randn(PATIENTS, STRATA, outputs, generator=generator),
        torch.rand(y.shape, generator=generator) + 0.5,
    )


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("outcomes", ["binary", "multilabel", "multiclass"])
def test_it_is_the_loop_over_patients_and_strata_in_value_and_gradient(outcomes: str, weighted: bool) -> None:
    logits, y, share, margin, weight = drawn(outcomes)
    found = expected_loss(logits, y, share, margin, weight if weighted else None)
    by_stratum = [dict(chances(logits.detach() + margin[:, u], y)) for u in range(STRATA)]
    expected = sum(
        (float(weight[at]) if weighted else 1.0) * float(share[at[0], u]) * -math.log(by_stratum[u][at])
        for at in by_stratum[0]
        for u in range(STRATA)
    ) / len(by_stratum[0])
    assert float(found.detach()) == pytest.approx(expected, rel=1e-5)
    slow = torch.stack(
        [
            share[row, u] * _one(logits[row] + margin[row, u], y[row], weight[row] if weighted else None)
         for row in range(PATIENTS) for u in range(STRATA)]
    ).sum() / len(by_stratum[0])  # fmt: skip
    for mine, theirs in zip(torch.autograd.grad(found, logits), torch.autograd.grad(slow, logits)):
        torch.testing.assert_close(mine, theirs)


def _one(logits: Tensor, y: Tensor, weight: Tensor | None) -> Tensor:
    """The summed loss of one patient's labels."""
    if y.dim() == 0:
        loss = F.cross_entropy(logits, y, ignore_index=-1, reduction="sum") if y >= 0 else 0 * logits.sum()
        return loss if weight is None else weight * loss
    known = ~y.isnan()
    loss = F.binary_cross_entropy_with_logits(logits[known], y[known], reduction="none")
    return (loss if weight is None else loss * weight[known]).sum()


def test_outcomes_with_strata_of_their_own_are_each_its_own_loss() -> None:
    logits, y, share, margin, weight = drawn("multilabel")
    own = torch.stack([share.roll(each, 1) for each in range(y.size(1))], dim=2)
    found = expected_loss(logits, y, own, margin, weight)
    labelled = ~y.isnan()
    alone = [
        expected_loss(logits[:, [c]], y[:, [c]], own[:, :, c], margin[:, :, [c]], weight[:, [c]]) * labelled[:, c].sum()
        for c in range(y.size(1))
    ]
    torch.testing.assert_close(found, torch.stack(alone).sum() / labelled.sum())
    same = share.unsqueeze(2).expand(-1, -1, y.size(1))
    torch.testing.assert_close(
        expected_loss(logits, y, same, margin, weight), expected_loss(logits, y, share, margin, weight)
    )


def test_a_stratum_that_is_known_is_its_margin_and_nothing_labelled_is_nothing() -> None:
    logits, y, _, margin, weight = drawn("binary")
    sure = F.one_hot(torch.full((PATIENTS,), 2), STRATA).float()
    expected = outcome_loss(logits, y, weight, margin[:, 2])
    torch.testing.assert_close(expected_loss(logits, y, sure, margin, weight), expected)
    nothing = expected_loss(logits, torch.full_like(y, float("nan")), sure, margin)
    assert nothing.item() == 0
    assert not torch.autograd.grad(nothing, logits)[0].any()


def test_of_a_margin_and_found_strata_the_strata_count() -> None:
    logits, y, share, margin, _ = drawn("multiclass")
    rows = torch.arange(PATIENTS)
    plain = Targets(y, rows, margin=margin[:, 0])
    torch.testing.assert_close(loss_beside_margin(logits, plain), outcome_loss(logits, y, margin=margin[:, 0]))
    assert torch.equal(beside_margin(logits, plain), logits + margin[:, 0])
    found = Targets(y, rows, margin=margin[:, 0], strata_share=share, strata_margin=margin)
    torch.testing.assert_close(loss_beside_margin(logits, found), expected_loss(logits, y, share, margin))
    assert torch.equal(beside_margin(logits, found)[:, 1], logits + margin[:, 1])
    assert torch.equal(beside_margin(logits, Targets(y, rows)), logits)


def test_left_out_offsets_are_exact_where_the_stratum_tells_nothing_and_averages_where_it_still_does() -> None:
    # Content of three values and a hidden stratum, independent given the outcome: everything can be written down.
    exact = torch.float64
    p_y, p_x = torch.tensor([0.7, 0.3], dtype=exact), torch.tensor([[0.5, 0.3, 0.2], [0.1, 0.3, 0.6]], dtype=exact)
    p_u = torch.tensor([[0.8, 0.2], [0.15, 0.85]], dtype=exact)  # P(u | y)
    marginal = p_y @ p_u
    margin = (p_u[1] / p_u[0]).log().view(1, 2, 1).expand(6, 2, 1)  # log P(y | u) - log P(y), difference of log-odds
    y, x = torch.arange(2).repeat_interleave(3), torch.arange(3).repeat(2)
    weight = 6 * (p_y[y] * p_x[y, x]).unsqueeze(1)
    logit = torch.zeros(3, 1, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS(
        [logit], max_iter=200, tolerance_grad=1e-10, tolerance_change=0, line_search_fn="strong_wolfe"
    )

    def closure() -> Tensor:
        optimizer.zero_grad()
        # Given the outcome content tells nothing of the stratum: responsibilities are P(u | y).
        loss = expected_loss(logit[x], y.double().unsqueeze(1), p_u[y], margin, weight)
        loss.backward()
        return loss

    optimizer.step(closure)
    fitted = logit.detach().squeeze(1)
    torch.testing.assert_close(fitted, (p_x[1] / p_x[0]).log() + torch.logit(p_y[1]))
    # Left out: P(y | x) where the stratum has come to tell nothing of the outcome.
    unbiased = p_y[:, None] * p_x
    torch.testing.assert_close(fitted.sigmoid(), unbiased[1] / unbiased.sum(0))
    # Averaged by P(u): P(y | x) where it still does, and content no longer tells which stratum it is.
    joint = p_y[:, None, None] * p_u[:, :, None] * p_x[:, None, :]  # [y, u, x]
    given = (joint[1] / joint.sum(0) * marginal[:, None]).sum(0)
    averaged = (marginal[:, None] * (fitted + margin[0]).sigmoid()).sum(0)
    torch.testing.assert_close(averaged, given)
    assert (fitted.sigmoid() - averaged).abs().max() > 0.02  # they are two things, of one ranking
    assert (fitted.argsort() == averaged.argsort()).all()
