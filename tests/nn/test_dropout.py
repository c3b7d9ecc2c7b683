"""Dropout as a module: the operation's draws in training, nothing outside of it."""

from __future__ import annotations

import torch

from gdsfd.nn.dropout import Dropout
from gdsfd.ops import dropout


def test_it_is_the_operation_in_training_and_nothing_outside() -> None:
    values, layer = torch.ones(50, 4), Dropout(0.3)
    draws = []
    for call in (layer, lambda each: dropout(each, 0.3, True)):
        with torch.random.fork_rng():
            torch.manual_seed(2)
            draws.append(call(values))
    assert torch.equal(*draws)
    assert bool((draws[0] == 0).any())
    assert layer.eval()(values) is values
