"""The sum over an ensemble's members."""

from __future__ import annotations

import pytest
import torch

from gdsfd.nn.embeddings import Embeddings
from gdsfd.nn.objectives import ErmObjective
from gdsfd.nn.predictor import Prediction
from tests.nn.objectives.labelled_elements import PATIENTS, cross_entropy, some_targets

WIDTH = 6


def test_members_are_summed_with_their_backbones_own_losses() -> None:
    targets = some_targets("binary")
    objective = ErmObjective()
    logits = [torch.randn(PATIENTS, 1) for _ in range(2)]
    presence = torch.ones(PATIENTS, 5, dtype=torch.bool)
    predictions = [
        Prediction(logits[0], Embeddings(torch.zeros(PATIENTS, WIDTH), None, presence)),
        Prediction(logits[1], Embeddings(torch.zeros(PATIENTS, WIDTH), None, presence, torch.tensor(0.25))),
    ]
    expected = sum(cross_entropy(each, targets.y) for each in logits) + 0.25
    assert float(objective(predictions, targets, stage=1)) == pytest.approx(expected, rel=1e-5)
