"""Cross-entropy with weights and margins, against a loop over elements."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from gdsfd.nn.embeddings import Embeddings
from gdsfd.nn.objectives import ErmObjective
from gdsfd.nn.predictor import Prediction
from tests.nn.objectives.labelled_elements import PATIENTS, cross_entropy, some_targets

WIDTH = 6


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("margin", [False, True])
@pytest.mark.parametrize("outcomes", ["binary", "multilabel", "multiclass"])
def test_erm_with_weights_and_margins(outcomes: str, margin: bool, weighted: bool) -> None:
    targets = some_targets(outcomes)
    outputs = targets.margin.size(1)
    prediction = Prediction(
        torch.randn(PATIENTS, outputs),
        Embeddings(torch.zeros(PATIENTS, WIDTH), None, torch.ones(PATIENTS, 5, dtype=torch.bool)),
    )
    objective = ErmObjective(weighted, margin)
    logits = prediction.logits + targets.margin if margin else prediction.logits
    expected = cross_entropy(logits, targets.y, targets.weight if weighted else None)
    assert float(objective.member_loss(0, prediction, targets, stage=1).detach()) == pytest.approx(expected, rel=1e-5)
    torch.testing.assert_close(objective.judged_logits(0, prediction, targets), logits)


@pytest.mark.parametrize("outcomes", ["binary", "multiclass"])
def test_beside_found_strata_the_loss_is_expected_over_them_of_the_main_prediction_and_of_parts(outcomes: str) -> None:
    targets = some_targets(outcomes)
    assert targets.margin is not None
    both = torch.stack([targets.margin, 0 * targets.margin], dim=1)
    strata = replace(targets, strata_share=torch.full((PATIENTS, 2), 0.5), strata_margin=both)
    logits = torch.randn(PATIENTS, targets.margin.size(1))
    empty = Embeddings(torch.zeros(PATIENTS, WIDTH), None, torch.ones(PATIENTS, 5, dtype=torch.bool))
    objective, everybody = ErmObjective(margin=True), torch.ones(PATIENTS, dtype=torch.bool)
    expected = sum(cross_entropy(logits + margin, targets.y) for margin in both.unbind(1)) / 2
    found = objective.member_loss(0, Prediction(logits, empty), strata, stage=1)
    assert float(found) == pytest.approx(expected, rel=1e-5)
    assert float(objective.part_loss(logits, everybody, strata)) == pytest.approx(expected, rel=1e-5)
    torch.testing.assert_close(
        objective.judged_logits(0, Prediction(logits, empty), strata), logits.unsqueeze(1) + both
    )
