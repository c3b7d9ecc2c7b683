"""The course of a training follows from the figures of its epochs."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from torch import nn

from gdsfd.nn.objectives import ErmObjective
from gdsfd.training.config import TrainConfig
from gdsfd.training.stages import DivergedError, advance, end_stage_one, learning_rate
from gdsfd.training.state import TrainingState

CONFIG = TrainConfig(max_epochs=10, patience=3, monitor="loss").resolved(100)


class NewHead(ErmObjective):
    """A second stage with a new head after six epochs."""

    new_head = True

    def stage_one(self, max_epochs):
        return min(6, max_epochs)


def course(losses, objective=None, auprc=0.5, **settings):
    """The state after epochs of these tuning losses, and the network, whose weight is the number of the epoch."""
    config = replace(CONFIG, **settings)
    network, state, objective = nn.Linear(1, 1), TrainingState(), objective or ErmObjective()
    for number, loss in enumerate(losses):
        assert not state.stopped
        end_stage_one(state, network, objective, config)
        nn.init.constant_(network.weight, number + 1.0)
        advance(state, {"tuning_loss": loss, "tuning_auprc": auprc}, network, objective, config)
    return state, network


def test_learning_rate_is_a_cosine_after_a_warm_first_epoch():
    config = TrainConfig(max_epochs=10, learning_rate=2e-3).resolved(100)
    for progress in (0.0, 0.25, 0.999, 1.0, 3.7, 10.0, 12.0):
        warm = min(1.0, progress + 1e-3) if progress < 1 else 1.0
        share = min(progress / 10, 1.0)
        expected = 2e-3 * warm * (0.05 + 0.95 * (1 + math.cos(math.pi * share)) / 2)
        assert learning_rate(config, progress) == pytest.approx(expected)
    assert learning_rate(config, 10.0) == pytest.approx(1e-4)


def test_the_best_epoch_keeps_its_weights_and_patience_ends():
    state, network = course([3.0, 1.0, 2.0, 1.0, 1.5])  # an equal one later is no better
    assert (state.best_epoch, state.best_value, state.epoch, state.stopped) == (2, -1.0, 5, True)
    assert state.best_weights["weight"].item() == 2.0
    assert network.weight.item() == 5.0, "the weights that were trained last are still there"
    assert len(state.history) == 5
    assert not course([3.0, 1.0, 2.0, 2.0])[0].stopped


def test_the_last_epoch_ends_whatever_it_says():
    state, _ = course([1.0 / number for number in range(1, 11)])
    assert (state.stopped, state.epoch, state.best_epoch) == (True, 10, 10)


def test_average_precision_is_judged_where_asked_and_the_loss_where_there_is_none():
    assert course([3.0, 1.0], monitor="auprc", auprc=0.4)[0].best_value == 0.4
    assert course([3.0, 1.0], monitor="auprc", auprc=math.nan)[0].best_value == -1.0


@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_a_loss_that_is_no_number_is_divergence(loss):
    with pytest.raises(DivergedError, match=r"diverged in epoch 2: the tuning loss is (nan|inf); lower learning_rate"):
        course([1.0, loss])


def test_before_a_new_head_two_worse_epochs_lead_back_to_the_best():
    state, network = course([2.0, 1.0, 3.0, 4.0], NewHead(), patience=1)
    assert (state.second, state.stopped) == (None, False), "patience waits for the head"
    end_stage_one(state, network, NewHead(), CONFIG)
    assert state.second == 4
    assert network.weight.item() == 2.0, "the best epoch's weights"
    assert state.best_value == -math.inf, "what was before the head is not in the running"
    advance(state, {"tuning_loss": 9.0, "tuning_auprc": 0.5}, network, NewHead(), CONFIG)
    assert (state.best_epoch, state.best_value) == (5, -9.0)


def test_without_a_new_head_the_second_stage_comes_when_the_first_has_lasted():
    class Later(ErmObjective):
        def stage_one(self, max_epochs):
            return 2

    state, network = course([1.0, 2.0], Later())
    assert state.second is None
    end_stage_one(state, network, Later(), CONFIG)
    assert (state.second, state.best_value) == (2, -1.0)
    end_stage_one(state, network, Later(), CONFIG)
    assert state.second == 2
