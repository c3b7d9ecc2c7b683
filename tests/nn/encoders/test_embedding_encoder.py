"""Precomputed vectors: the features are the vector, and so is the one cell."""

from __future__ import annotations

import torch

from gdsfd.cohort.schema import ModalityFields
from gdsfd.nn.encoders import EmbeddingEncoder


def test_the_vector_is_the_features_and_the_cell() -> None:
    encoder = EmbeddingEncoder(ModalityFields("note", "embedding", width=3), 4).eval()
    vector = torch.randn(5, 3, generator=torch.Generator().manual_seed(0))
    assert encoder.features({"vector": vector}) is vector
    torch.testing.assert_close(encoder({"vector": vector}), encoder.out(encoder.token(vector)))
    cells = encoder.cells({"vector": vector})
    assert cells.observation.tolist() == [0, 1, 2, 3, 4]
    assert cells.node.tolist() == [0] * 5
    assert torch.equal(cells.value, vector)
    plan = encoder.cell_plan
    assert plan.valued.tolist() == [[0, 1, 2]]
    assert plan.indicator.numel() == 0
