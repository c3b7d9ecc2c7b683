"""The running average against its formula, step by step."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from gdsfd.training.average import RunningAverage


def one_weight(value: float) -> nn.Module:
    network = nn.Linear(1, 1, bias=False)
    nn.init.constant_(network.weight, value)
    return network


@pytest.mark.parametrize("decay", [0.5, 0.99])
def test_the_average_is_the_recurrence(decay: float) -> None:
    network = one_weight(4.0)
    average = RunningAverage(network, decay)
    expected = 4.0
    for step, value in enumerate([1.0, -2.0, 8.0, 0.5, 0.5, 3.0, 9.0, -1.0, 2.0, 2.0, 7.0, 5.0]):
        nn.init.constant_(network.weight, value)
        average.update()
        share = min(decay, (1 + step) / (10 + step))
        expected = share * expected + (1 - share) * value
        assert float(average.weights["weight"]) == pytest.approx(expected, rel=1e-6)
    assert int(average.weights["steps"]) == 12


def test_a_high_decay_keeps_most_of_the_past() -> None:
    network = one_weight(0.0)
    average = RunningAverage(network, 0.999)
    average.steps = 10**6  # long after the start
    nn.init.constant_(network.weight, 1.0)
    average.update()
    assert float(average.weights["weight"]) == pytest.approx(0.001, rel=1e-3)


def test_inside_the_average_outside_the_weights() -> None:
    network = one_weight(0.0)
    average = RunningAverage(network, 0.9)
    nn.init.constant_(network.weight, 1.0)
    average.update()
    with average.swapped_in():
        assert float(network.weight.detach()) == pytest.approx(0.9)  # min(.9, 1 / 10) of the past
    assert float(network.weight.detach()) == 1.0


def test_going_on_from_a_checkpoint_is_going_on() -> None:
    whole, first = one_weight(0.0), one_weight(0.0)
    uninterrupted, before = RunningAverage(whole, 0.99), RunningAverage(first, 0.99)
    for value in (1.0, 2.0):
        for network, average in ((whole, uninterrupted), (first, before)):
            nn.init.constant_(network.weight, value)
            average.update()
    stored = {name: value.clone() for name, value in before.weights.items()}
    second = one_weight(2.0)
    after = RunningAverage(second, 0.99, stored)
    for network, average in ((whole, uninterrupted), (second, after)):
        nn.init.constant_(network.weight, 3.0)
        average.update()
    assert after.weights == uninterrupted.weights


def test_no_decay_no_average() -> None:
    network = one_weight(1.0)
    average = RunningAverage(network, 0.0)
    average.update()
    assert average.weights == {}
    with average.swapped_in():
        assert float(network.weight.detach()) == 1.0
    torch.testing.assert_close(network.weight.detach(), torch.ones(1, 1))
