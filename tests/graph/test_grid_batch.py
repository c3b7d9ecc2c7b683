"""A batch in fixed shapes moves as a whole."""

from __future__ import annotations

import torch

from gdsfd.graph.grid_batch import GridBatch
from gdsfd.graph.grid_layout import GridLayout


def test_it_moves_as_a_whole_and_stays_itself_where_it_is() -> None:
    batch = GridBatch(torch.arange(3), torch.zeros(3, 5), GridLayout(torch.ones(2, 3)), torch.zeros(3, 1))
    assert len(batch) == 3
    assert batch.to("cpu") is batch
    moved = batch.to("meta")
    tensors = (moved.rows, moved.inputs, moved.layout.there, moved.y)
    assert {tensor.device.type for tensor in tensors} == {"meta"}
    assert [tuple(tensor.shape) for tensor in tensors] == [(3,), (3, 5), (2, 3), (3, 1)]
