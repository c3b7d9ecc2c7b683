"""V-REx: the variance of risks against a loop, in value and gradient, and a shortcut that it gives up."""

from __future__ import annotations

import pytest
import torch

from gdsfd.nn.objectives.vrex import VRex
from tests.nn.objectives.environments import network, predicted, shortcut_cohort, targets_of
from tests.nn.objectives.labelled_elements import SUSPECTS, some_targets
from tests.nn.objectives.linear_fit import fitted
from tests.nn.objectives.test_suspect_objective import KINDS, logits_of


@pytest.mark.parametrize("outcomes", list(KINDS))
def test_the_penalty_is_the_variance_of_risks_by_patients(outcomes: str) -> None:
    targets, objective = some_targets(outcomes), VRex(network(*KINDS[outcomes]), SUSPECTS)
    logits = logits_of(outcomes).double().requires_grad_()
    found = objective.penalties(predicted(logits), targets, objective.environments(targets))
    y = targets.y.unsqueeze(1) if outcomes == "multiclass" else targets.y
    whole = logits.double()
    expected = []
    for column, size in enumerate(SUSPECTS):
        of_outcomes = []
        for outcome in range(y.size(1)):
            members = []
            for code in range(size):
                own = []
                for row in range(len(y)):
                    label = float(y[row, outcome])
                    if int(targets.suspects[row, column]) != code or label != label or label < 0:
                        continue
                    if outcomes == "multiclass":
                        own.append(whole[row].logsumexp(0) - whole[row, int(label)])
                    else:
                        own.append(torch.log1p(torch.exp(whole[row, outcome] * (1 - 2 * label))))
                members += [torch.stack(own).mean()] * len(own) if own else []
            of_outcomes.append(torch.stack(members).var(unbiased=False))  # every label has its environment's risk
        expected.append(torch.stack(of_outcomes).mean())
    for one, other in zip(found, expected):
        assert float(one.detach()) == pytest.approx(float(other.detach()), rel=1e-4)
    (slope,) = torch.autograd.grad(torch.stack(found).sum(), logits, retain_graph=True)
    (by_hand,) = torch.autograd.grad(torch.stack(expected).sum(), logits)
    torch.testing.assert_close(slope, by_hand, rtol=1e-4, atol=1e-6)


def test_environments_of_equal_risk_have_no_penalty() -> None:
    objective = VRex(network(), (2,))
    y, code = torch.tensor([[1.0], [0.0], [1.0], [0.0]]), torch.tensor([0, 0, 1, 1])
    targets = targets_of(y, code)
    even = predicted(torch.tensor([[2.0], [0.3], [2.0], [0.3]]))
    (nothing,) = objective.penalties(even, targets, objective.environments(targets))
    assert float(nothing) == pytest.approx(0.0, abs=1e-12)
    apart = predicted(torch.tensor([[0.0], [0.0], [100.0], [-100.0]]))  # risks log 2 and 0
    (penalty,) = objective.penalties(apart, targets, objective.environments(targets))
    assert float(penalty) == pytest.approx((torch.tensor(2.0).log() / 2) ** 2)


def test_a_shortcut_of_other_strength_in_each_environment_is_given_up() -> None:
    x, y, environment = shortcut_cohort()
    targets = targets_of(y, environment)
    plain = fitted(VRex(network(), (2,), weight=0.0), x, targets)
    assert plain[1] > 0.8
    invariant = fitted(VRex(network(), (2,), weight=1000.0), x, targets)
    assert abs(invariant[1]) < 0.05
    assert invariant[0] > 0.3
