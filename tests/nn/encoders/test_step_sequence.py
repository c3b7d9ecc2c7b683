"""Steps as a dense grid with the last value carried forward, and the recurrence over them."""

from __future__ import annotations

import torch

from gdsfd.nn.encoders.step_sequence import StepSequence, dense_steps


def test_steps_carry_the_last_value_forward() -> None:
    # one patient, four steps, two items: item 0 measured at steps 1 and 3, item 1 never
    value, owner = torch.tensor([5.0, 7.0]), torch.tensor([0, 0])
    values, seen = dense_steps(value, owner, torch.tensor([1, 3]), torch.tensor([0, 0]), (1, 4, 2))
    assert values[0, :, 0].tolist() == [0.0, 5.0, 5.0, 7.0]
    assert values[0, :, 1].tolist() == [0.0] * 4
    assert seen[0, :, 0].tolist() == [0.0, 1.0, 0.0, 1.0]


def test_a_first_step_value_is_carried() -> None:
    values, _ = dense_steps(torch.tensor([2.0]), torch.tensor([0]), torch.tensor([0]), torch.tensor([0]), (1, 3, 1))
    assert values[0, :, 0].tolist() == [2.0, 2.0, 2.0]


def test_a_value_of_zero_is_carried_as_one_that_was_seen() -> None:
    value, owner, item = torch.tensor([4.0, 0.0]), torch.tensor([1, 1]), torch.tensor([1, 1])
    values, seen = dense_steps(value, owner, torch.tensor([0, 2]), item, (2, 4, 2))
    assert values[1, :, 1].tolist() == [4.0, 4.0, 0.0, 0.0]
    assert seen[1, :, 1].tolist() == [1.0, 0.0, 1.0, 0.0]
    assert not values[0].any()


def test_the_recurrence_gives_the_mean_of_its_states_and_the_last() -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        sequence, values, seen = StepSequence(2, 3, 4), torch.randn(5, 3, 2), torch.ones(5, 3, 2)
    states, state = [], torch.zeros(1, 5, 4)
    for step in range(3):
        _, state = sequence.recurrent(torch.cat([values, seen], -1)[:, step : step + 1], state)
        states.append(state[0])
    expected = sequence.out(torch.cat([torch.stack(states).mean(0), states[-1]], -1))
    torch.testing.assert_close(sequence(values, seen), expected)
