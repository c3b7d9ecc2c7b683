"""Class-conditional MMD against sums over pairs, in value and gradient; what it asks of codes."""

from __future__ import annotations

import itertools
import statistics

import pytest
import torch

from gdsfd.nn.dependence.gaussian_kernel import gaussian_kernel
from gdsfd.nn.objectives.conditional_mmd import ConditionalMmd, mmd_to_the_rest
from tests.nn.objectives.environments import network, predicted, targets_of


def by_pairs(kernel: torch.Tensor, one: list[int], other: list[int]) -> torch.Tensor:
    inside = [torch.stack([kernel[i, j] for i, j in itertools.permutations(side, 2)]).mean() for side in (one, other)]
    across = torch.stack([kernel[i, j] for i in one for j in other]).mean()
    return inside[0] + inside[1] - 2 * across


def test_each_group_against_the_others_in_value_and_gradient() -> None:
    code = torch.randn(9, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64, requires_grad=True)
    place = [0, 0, 0, 1, 1, 2, -1, 1, 0]
    group = torch.tensor([[float(each == g) for g in range(3)] for each in place], dtype=torch.float64)
    square, count = mmd_to_the_rest(gaussian_kernel(code), group)
    rows = {g: [row for row, each in enumerate(place) if each == g] for g in range(3)}
    assert count.tolist() == [4.0, 3.0, 0.0]  # the third has one patient
    assert float(square[2].detach()) == 0.0
    expected = [
        by_pairs(gaussian_kernel(code), rows[g], [r for r in range(9) if place[r] not in (g, -1)]) for g in (0, 1)
    ]
    torch.testing.assert_close(square[:2], torch.stack(expected))
    (slope,) = torch.autograd.grad(square.sum(), code, retain_graph=True)
    (by_hand,) = torch.autograd.grad(torch.stack(expected).sum(), code)
    torch.testing.assert_close(slope, by_hand)


@pytest.mark.parametrize("multiclass", [False, True])
def test_it_is_worked_out_within_classes_and_weighted_by_patients(multiclass: bool) -> None:
    generator = torch.Generator().manual_seed(1)
    code = torch.randn(30, 2, generator=generator)
    label = torch.randint(-1, 3 if multiclass else 2, (30,), generator=generator)
    environment = torch.randint(-1, 3, (30,), generator=generator)
    y = label if multiclass else torch.where(label < 0, float("nan"), label.float()).unsqueeze(1)
    objective = ConditionalMmd(network(3 if multiclass else 1, multiclass), (3,))
    targets = targets_of(y, environment)
    prediction = predicted(torch.zeros(30, 3 if multiclass else 1), code)
    (penalty,) = objective.penalties(prediction, targets, objective.environments(targets))
    total, patients = 0.0, 0
    for known in range(3 if multiclass else 2):
        inside = [row for row in range(30) if int(label[row]) == known and int(environment[row]) >= 0]
        for place in range(3):
            one = [row for row in inside if int(environment[row]) == place]
            other = [row for row in inside if int(environment[row]) != place]
            if len(one) > 1 and len(other) > 1:
                total += len(one) * float(by_pairs(gaussian_kernel(code), one, other))
                patients += len(one)
    assert float(penalty) == pytest.approx(total / patients, rel=1e-3)


def test_codes_may_know_the_outcome_but_not_the_environment_given_it() -> None:
    generator = torch.Generator().manual_seed(2)
    y = torch.randint(0, 2, (300, 1), generator=generator).float()
    agrees = torch.rand(300, 1, generator=generator) < 0.8
    environment = torch.where(agrees, y, 1 - y).long().squeeze(1)  # tells a lot of the outcome
    objective, targets = ConditionalMmd(network(), (2,)), targets_of(y, environment)
    noise = 0.3 * torch.randn(300, 2, generator=generator)
    found = {}
    for name, code in (("outcome", 2 * y + noise), ("environment", 2 * environment.unsqueeze(1) + noise)):
        prediction = predicted(torch.zeros(300, 1), code)
        (found[name],) = objective.penalties(prediction, targets, objective.environments(targets))
    assert abs(float(found["outcome"])) < 0.02
    assert float(found["environment"]) > 0.5


def test_the_estimate_is_0_on_average_where_nothing_differs() -> None:
    generator = torch.Generator().manual_seed(3)
    values = []
    for _ in range(200):
        group = torch.zeros(20, 2)
        group[torch.arange(20), (torch.randperm(20, generator=generator) < 8).long()] = 1.0
        values.append(float(mmd_to_the_rest(gaussian_kernel(torch.randn(20, 2, generator=generator)), group)[0][0]))
    assert abs(statistics.mean(values)) < 3 * statistics.stdev(values) / len(values) ** 0.5
    assert min(values) < 0 < max(values)


def test_a_batch_too_small_to_compare_has_no_penalty() -> None:
    objective = ConditionalMmd(network(), (2,))
    for patients in (1, 3, 4):
        targets = targets_of(torch.ones(patients, 1), torch.arange(patients) % 2)
        code = torch.randn(patients, 2, requires_grad=True)
        (penalty,) = objective.penalties(
            predicted(torch.zeros(patients, 1), code), targets, objective.environments(targets)
        )
        assert torch.isfinite(penalty)
        assert patients == 4 or float(penalty) == 0.0
