"""Group DRO: two steps of its weights by hand, members apart, and the minimax answer of a case that has one."""

from __future__ import annotations

import math

import pytest
import torch

from gdsfd.nn.objectives.group_dro import GroupDro
from tests.nn.objectives.environments import network, predicted, targets_of
from tests.nn.objectives.labelled_elements import PATIENTS, SUSPECTS, chances, some_targets
from tests.nn.objectives.test_suspect_objective import KINDS, logits_of


@pytest.mark.parametrize("outcomes", list(KINDS))
def test_two_steps_by_hand(outcomes: str) -> None:
    outputs, multiclass = KINDS[outcomes]
    classes = outputs if multiclass else 2
    targets, objective = some_targets(outcomes), GroupDro(network(outputs, multiclass), SUSPECTS, step_size=0.7)
    places = [
        (column, code, label)
        for column, size in enumerate(SUSPECTS)
        for code in range(size)
        for label in range(classes)
    ]
    count = 1 if multiclass else outputs
    share = {(outcome, place): 1 / len(places) for outcome in range(count) for place in places}
    for step in range(2):
        logits = logits_of(outcomes) * (1 + step)
        expected = 0.0
        for outcome in range(count):
            own = [(at[0], p) for at, p in chances(logits, targets.y) if count == 1 or at[1] == outcome]
            risk = {}
            for column, code, label in places:
                here = [
                    -math.log(p)
                    for row, p in own
                    if int(targets.suspects[row, column]) == code
                    and int(targets.y[row] if multiclass else targets.y[row, outcome]) == label
                ]
                risk[column, code, label] = sum(here) / len(here) if here else 0.0
            for place in places:
                share[outcome, place] *= math.exp(0.7 * risk[place])
            whole = sum(share[outcome, place] for place in places)
            for place in places:
                share[outcome, place] /= whole
            expected += sum(share[outcome, place] * risk[place] for place in places) / count
        found = objective.member_loss(0, predicted(logits), targets, stage=1)
        assert float(found) == pytest.approx(expected, rel=1e-5)
        stored = [[share[outcome, place] for place in places] for outcome in range(count)]
        torch.testing.assert_close(objective.share[0], torch.tensor(stored), rtol=1e-5, atol=1e-7)


def test_members_have_weights_of_their_own() -> None:
    targets, pair = some_targets("binary"), GroupDro(network(members=2), SUSPECTS, step_size=0.5)
    logits = [logits_of("binary"), -2 * logits_of("binary")]
    alone = [GroupDro(network(), SUSPECTS, step_size=0.5) for _ in range(2)]
    for _ in range(3):
        together = pair([predicted(each) for each in logits], targets, 2)
        apart = [one([predicted(each)], targets, 2) for one, each in zip(alone, logits)]
        assert float(together) == pytest.approx(float(sum(apart)))
    for number in range(2):
        torch.testing.assert_close(pair.share[number], alone[number].share[0])
    assert not torch.allclose(pair.share[0], pair.share[1])


def test_its_weights_are_stored_and_read() -> None:
    targets, objective = some_targets("binary"), GroupDro(network(), SUSPECTS, step_size=0.5)
    objective.member_loss(0, predicted(logits_of("binary")), targets, 2)
    other = GroupDro(network(), SUSPECTS, step_size=0.5)
    other.load_state_dict(objective.state_dict())
    torch.testing.assert_close(other.share, objective.share)


def test_rare_groups_count_as_much_as_frequent_ones() -> None:
    y = torch.tensor([[1.0]] * 90 + [[0.0]] * 10)  # one environment: the groups are the classes
    targets, objective = targets_of(y, torch.zeros(100, dtype=torch.long)), GroupDro(network(), (1,), step_size=0.1)
    logit = torch.tensor(2.0, requires_grad=True)  # one score for all
    optimizer = torch.optim.SGD([logit], lr=0.2)
    for _ in range(400):
        optimizer.zero_grad()
        objective.member_loss(0, predicted(logit.expand(100, 1)), targets, 2).backward()
        optimizer.step()
    # Cross-entropy would end at log 9; the worst class does best at 0, where both lose log 2.
    assert float(logit.detach()) == pytest.approx(0.0, abs=0.05)
    torch.testing.assert_close(objective.share[0, 0], torch.tensor([0.5, 0.5]), atol=0.05, rtol=0)


def test_a_batch_without_labels_or_suspects() -> None:
    objective = GroupDro(network(), SUSPECTS)
    targets = targets_of(torch.full((3, 1), float("nan")), torch.tensor([0, 1, -1]), torch.tensor([0, 0, 1]))
    assert float(objective.member_loss(0, predicted(torch.ones(3, 1)), targets, 2)) == 0.0
    assert torch.isfinite(objective.share).all()
    targets = some_targets("binary")
    targets.suspects = None
    from tests.nn.objectives.labelled_elements import cross_entropy

    logits = logits_of("binary")
    found = GroupDro(network()).member_loss(0, predicted(logits), targets, 2)
    assert float(found) == pytest.approx(cross_entropy(logits, targets.y), rel=1e-5)
    assert len(logits) == PATIENTS
