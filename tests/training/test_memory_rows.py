"""The training patients that states are fitted on."""

from __future__ import annotations

import torch

from gdsfd.training.config import TrainConfig
from gdsfd.training.memory_rows import memory_rows


def test_of_many_so_many_are_drawn_the_same_every_time_in_their_order() -> None:
    rows = torch.arange(100, 150)
    assert torch.equal(memory_rows(rows, TrainConfig(state_rows=50)), rows)
    some = memory_rows(rows, TrainConfig(state_rows=20))
    assert len(some.unique()) == 20
    assert torch.equal(some, some.sort().values)
    assert set(some.tolist()) < set(rows.tolist())
    assert torch.equal(memory_rows(rows, TrainConfig(state_rows=20)), some)
