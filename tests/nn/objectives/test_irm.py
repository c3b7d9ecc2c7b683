"""IRM: the squared gradient against autograd and pairs, and a shortcut that it gives up."""

from __future__ import annotations

import itertools
import math

import pytest
import torch

from gdsfd.nn.losses import element_loss
from gdsfd.nn.objectives.irm import Irm
from tests.nn.objectives.environments import network, predicted, shortcut_cohort, targets_of
from tests.nn.objectives.labelled_elements import SUSPECTS, some_targets
from tests.nn.objectives.linear_fit import fitted
from tests.nn.objectives.test_suspect_objective import KINDS, logits_of


@pytest.mark.parametrize("margin", [False, True])
@pytest.mark.parametrize("outcomes", list(KINDS))
def test_the_penalty_is_the_mean_product_of_two_patients_gradients(outcomes: str, margin: bool) -> None:
    targets, logits = some_targets(outcomes), logits_of(outcomes)
    objective = Irm(network(*KINDS[outcomes]), SUSPECTS, margin=margin)
    found = objective.penalties(predicted(logits), targets, objective.environments(targets))
    factor = torch.ones((), requires_grad=True)
    loss, labelled = element_loss(factor * logits + (targets.margin if margin else 0.0), targets.y)
    loss, labelled = loss.reshape(len(loss), -1), labelled.reshape(len(loss), -1)
    slopes = {
        (row, outcome): float(torch.autograd.grad(loss[row, outcome], factor, retain_graph=True)[0])
        for row, outcome in labelled.nonzero().tolist()
    }
    for column, (size, penalty) in enumerate(zip(SUSPECTS, found)):
        of_outcomes = []
        for outcome in range(loss.size(1)):
            rows = [row for row, other in slopes if other == outcome and int(targets.suspects[row, column]) >= 0]
            total = 0.0
            for code in range(size):
                own = [slopes[row, outcome] for row in rows if int(targets.suspects[row, column]) == code]
                pairs = [one * other for one, other in itertools.permutations(own, 2)]
                total += len(own) / len(rows) * (sum(pairs) / len(pairs) if pairs else 0.0)
            of_outcomes.append(total)
        assert float(penalty) == pytest.approx(sum(of_outcomes) / len(of_outcomes), rel=1e-4)


def test_the_square_of_a_mean_gradient_is_estimated_without_bias() -> None:
    objective = Irm(network(), (1,))
    y, logits = torch.tensor([[1.0], [0.0], [0.0], [1.0], [0.0]]), torch.tensor([[0.4], [1.3], [-0.7], [-0.2], [2.0]])
    slope = (torch.sigmoid(logits) - y) * logits
    estimates = []
    for rows in itertools.product(range(5), repeat=3):  # all batches of three drawn with replacement
        some = list(rows)
        targets = targets_of(y[some], torch.zeros(3, dtype=torch.long))
        (each,) = objective.penalties(predicted(logits[some]), targets, objective.environments(targets))
        estimates.append(float(each))
    assert sum(estimates) / len(estimates) == pytest.approx(float(slope.mean()) ** 2, rel=1e-4)


def test_a_shortcut_of_other_strength_in_each_environment_is_given_up() -> None:
    x, y, environment = shortcut_cohort()
    targets = targets_of(y, environment)
    plain = fitted(Irm(network(), (2,), weight=0.0), x, targets)
    assert plain[1] > 0.8
    invariant = fitted(Irm(network(), (2,), weight=1e5), x, targets)
    # The cause alone, with its own log-odds in every environment: the invariant predictor.
    assert invariant[0] == pytest.approx(math.log(0.75 / 0.25), abs=0.03)
    assert invariant[1] == pytest.approx(0.0, abs=0.03)
