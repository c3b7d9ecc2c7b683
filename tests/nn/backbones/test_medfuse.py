"""medfuse: torch's LSTM on each patient's own, shorter sequence."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_sequence

from tests.nn.backbones.learner_case import D, LearnerCase, as_grid, full_grid, make_learner, presences


class TestMedFuse(LearnerCase):
    name = "medfuse"
    ordered = True


class TestMedFuseAtRandom(LearnerCase, options={"order": "random"}):
    name = "medfuse"
    ordered = True


@pytest.mark.parametrize("order", ["spec", "reversed"])
def test_it_is_a_packed_lstm_on_the_same_weights(order: str) -> None:
    learner, grid, presence = make_learner("medfuse", order=order).eval(), full_grid(), presences()
    lstm = nn.LSTM(D, D)
    with torch.no_grad():
        lstm.weight_ih_l0.copy_(learner.of_input.weight)
        lstm.weight_hh_l0.copy_(learner.of_state.weight)
        lstm.bias_ih_l0.copy_(learner.of_input.bias)
        lstm.bias_hh_l0.copy_(learner.of_state.bias)
    found = learner(grid.transpose(0, 1), as_grid(presence)).pooled
    some = presence.any(1).nonzero().flatten()
    sequences = [learner.project(grid[patient][presence[patient]]) for patient in some]
    if order == "reversed":
        sequences = [each.flip(0) for each in sequences]
    _, (last, _) = lstm(pack_sequence(sequences, enforce_sorted=False))
    torch.testing.assert_close(found[some], last[0])
    assert (found[3] == 0).all()


def test_a_random_order_is_drawn_in_training_only() -> None:
    learner, grid, layout = make_learner("medfuse", order="random", edge_drop=0.0), full_grid(), as_grid(presences())
    draws = [learner.train()(grid.transpose(0, 1), layout).pooled for _ in range(6)]
    assert any(not torch.allclose(draws[0], each) for each in draws)
    spec = make_learner("medfuse").eval()
    assert torch.equal(learner.eval()(grid.transpose(0, 1), layout).pooled, spec(grid.transpose(0, 1), layout).pooled)
