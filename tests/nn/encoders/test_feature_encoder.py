"""Encoders on features: what was worked out before is read as it is, features and cells."""

from __future__ import annotations

import torch

from gdsfd.cohort.schema import ModalityFields
from gdsfd.nn.encoders import EmbeddingEncoder


def test_cells_worked_out_before_are_read() -> None:
    encoder = EmbeddingEncoder(ModalityFields("note", "embedding", width=2), 4)
    vector = torch.randn(3, 2, generator=torch.Generator().manual_seed(0))
    length, packed = encoder.cell_runs({"vector": vector})
    ptr = torch.cat([length.new_zeros(1), length.cumsum(0)])
    for observations in ({"vector": vector}, {"cell_ptr": ptr, **packed}):
        cells = encoder.read_cells(observations)
        assert cells.observation.tolist() == [0, 1, 2]
        assert torch.equal(cells.value, vector)
    assert encoder.also_reads == ()
