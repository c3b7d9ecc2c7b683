"""Embeddings to flat tensors and back, and what predictors and objectives make of parts and own logits."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from gdsfd.nn.embeddings import Embeddings, Part
from gdsfd.nn.losses import Targets
from gdsfd.nn.objectives import ErmObjective
from gdsfd.nn.predictor import Prediction

PRESENCE = torch.tensor([[True, False], [True, True], [False, False]])


def test_tensors_and_back() -> None:
    parts = {"labs": Part(PRESENCE[:, 0], logits=torch.randn(3, 2)), "of": Part(PRESENCE[:, 1], code=torch.randn(3, 4))}
    given = Embeddings(torch.randn(3, 4), None, PRESENCE, torch.tensor(2.0), torch.randn(3, 2), parts)
    again = Embeddings.of({**given.tensors(), "mask": torch.zeros(1)}, PRESENCE)
    assert again.pooled is given.pooled
    assert again.tokens is None
    assert again.aux_loss is given.aux_loss
    assert again.logits is given.logits
    assert {name: vars(part) for name, part in again.parts.items()} == {
        name: vars(part) for name, part in parts.items()
    }
    plain = Embeddings(torch.randn(3, 4), torch.randn(3, 4), PRESENCE)
    assert set(plain.tensors()) == {"pooled", "tokens"}, "a backbone without any of it hands over what it did before"


def of_parts(parts: dict[str, tuple[torch.Tensor, torch.Tensor]], weight: float) -> Prediction:
    return Prediction(
        torch.zeros(3, 2), Embeddings(torch.zeros(3, 4), None, PRESENCE), parts=parts, parts_weight=weight
    )


@pytest.mark.parametrize("multiclass", [False, True])
def test_parts_are_fitted_to_the_labelled_entries_of_their_rows_with_weights_and_margins(multiclass: bool) -> None:
    logits, margin = torch.randn(3, 2, requires_grad=True), torch.randn(3, 2)
    y = torch.tensor([1, 0, -1]) if multiclass else torch.tensor([[1.0, torch.nan], [0.0, 1.0], [1.0, 0.0]])
    weight = torch.rand(y.shape) + 0.5
    targets = Targets(y, torch.arange(3), weight, margin)
    objective = ErmObjective(weighted=True, margin=True)
    rows = PRESENCE[:, 0]  # the third patient takes no part
    without = objective([of_parts({"labs": (logits, rows)}, 0.0)], targets, 2)
    found = objective([of_parts({"labs": (logits, rows)}, 0.5)], targets, 2) - without
    if multiclass:
        terms = F.cross_entropy((logits + margin)[:2], y[:2], reduction="none") * weight[:2]
    else:
        each = F.binary_cross_entropy_with_logits(logits + margin, torch.nan_to_num(y), reduction="none") * weight
        terms = torch.stack([each[0, 0], each[1, 0], each[1, 1]])
    torch.testing.assert_close(found, 0.5 * terms.mean())
    (gradient,) = torch.autograd.grad(found, logits)
    assert (gradient[2] == 0).all()


def test_a_part_that_speaks_of_nobody_labelled_costs_nothing() -> None:
    logits = nn.Parameter(torch.randn(3, 1))
    targets = Targets(torch.tensor([[1.0], [1.0], [torch.nan]]), torch.arange(3))
    loss = ErmObjective().part_loss(logits, torch.tensor([False, False, True]), targets)
    loss.backward()
    assert loss.item() == 0.0
    assert (logits.grad == 0).all()


@pytest.mark.parametrize("of_patients", [True, False])
def test_a_part_can_weigh_whom_it_speaks_of(of_patients: bool) -> None:
    logits = torch.randn(4, 2)
    y = torch.tensor([[1.0, torch.nan], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    targets = Targets(y, torch.arange(4), torch.rand(4, 2) + 0.5)
    share = torch.tensor([0.5, 0.0, 1.0, 0.25])
    share = share if of_patients else torch.stack([share, 1 - share], 1)
    found = ErmObjective(weighted=True).part_loss(logits, share, targets)
    total, count = 0.0, 0
    for i in range(4):
        for c in range(2):
            mine = float(share[i] if of_patients else share[i, c])
            if mine > 0 and not torch.isnan(y[i, c]):
                loss = F.binary_cross_entropy_with_logits(logits[i, c], y[i, c])
                total, count = total + mine * float(targets.weight[i, c] * loss), count + 1
    assert found.item() == pytest.approx(total / count, abs=1e-6)
