"""What grouped objectives share: environments, risks, stages, and what a penalty is divided by."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from gdsfd.nn.losses import Targets
from gdsfd.nn.objectives.suspect_objective import InvarianceObjective, SuspectObjective, risks
from gdsfd.nn.predictor import Prediction
from tests.nn.objectives.environments import network, predicted
from tests.nn.objectives.labelled_elements import PATIENTS, SUSPECTS, chances, cross_entropy, some_targets

KINDS = {"binary": (1, False), "multilabel": (2, False), "multiclass": (3, True)}


def logits_of(outcomes: str) -> Tensor:
    return torch.randn(PATIENTS, KINDS[outcomes][0], generator=torch.Generator().manual_seed(1))


def test_a_missing_code_is_in_no_environment() -> None:
    found = SuspectObjective(network(), SUSPECTS).environments(some_targets("binary"))
    codes = some_targets("binary").suspects
    for column, (size, each) in enumerate(zip(SUSPECTS, found)):
        assert each.shape == (PATIENTS, size)
        for row in range(PATIENTS):
            expected = [float(code == int(codes[row, column])) for code in range(size)]
            assert each[row].tolist() == expected


@pytest.mark.parametrize("outcomes", list(KINDS))
def test_risks_are_means_over_each_environments_labels(outcomes: str) -> None:
    targets, logits = some_targets(outcomes), logits_of(outcomes)
    objective = SuspectObjective(network(*KINDS[outcomes]), SUSPECTS)
    loss, labelled = objective.elements(predicted(logits), targets)
    risk, share = risks(loss, labelled, objective.environments(targets)[0])
    outcomes_there = loss.size(1)
    for column in range(outcomes_there):
        own = [(at, p) for at, p in chances(logits, targets.y) if outcomes_there == 1 or at[1] == column]
        placed = [(int(targets.suspects[at[0], 0]), p) for at, p in own if int(targets.suspects[at[0], 0]) >= 0]
        for code in range(SUSPECTS[0]):
            here = [p for place, p in placed if place == code]
            expected = -float(torch.tensor(here).log().mean()) if here else 0.0
            assert float(risk[code, column]) == pytest.approx(expected, rel=1e-5)
            assert float(share[code, column]) == pytest.approx(len(here) / len(placed))


class Constant(InvarianceObjective):
    def penalties(self, prediction: Prediction, targets: Targets, environments: list[Tensor]) -> list[Tensor]:
        return [torch.tensor(2.0), torch.tensor(4.0)]


@pytest.mark.parametrize("margin", [False, True])
@pytest.mark.parametrize("outcomes", list(KINDS))
@pytest.mark.parametrize("weight", [0.5, 8.0])
def test_stage_one_is_cross_entropy_and_stage_two_adds_the_mean_penalty(outcomes, weight, margin) -> None:
    targets, logits = some_targets(outcomes), logits_of(outcomes)
    objective = Constant(network(*KINDS[outcomes]), SUSPECTS, margin=margin, stage_one=0.25, weight=weight)
    expected = cross_entropy(logits + targets.margin if margin else logits, targets.y)
    prediction = predicted(logits)
    assert float(objective.member_loss(0, prediction, targets, 1)) == pytest.approx(expected, rel=1e-5)
    whole = (expected + weight * 3.0) / max(1.0, weight)
    assert float(objective.member_loss(0, prediction, targets, 2)) == pytest.approx(whole, rel=1e-5)
    assert objective.stage_one(40) == 10
    assert objective.judged_weighted
    assert not objective.weighted  # patients are not weighted in training


def test_without_a_suspect_in_the_graph_it_is_cross_entropy() -> None:
    targets = Targets(some_targets("binary").y, torch.arange(PATIENTS))
    logits = logits_of("binary")
    assert float(Constant(network()).member_loss(0, predicted(logits), targets, 2)) == pytest.approx(
        cross_entropy(logits, targets.y), rel=1e-5
    )
