"""A tensor made of pieces is their concatenation, held or mapped."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from gdsfd.graph.growing_tensor import GrowingTensor


@pytest.mark.parametrize("limit", ["0", "1000000000"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.int32, torch.long, torch.bool, torch.bfloat16])
def test_pieces_give_their_concatenation(limit: str, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GDSFD_ARRAY_BYTES", limit)
    generator = torch.Generator().manual_seed(0)
    pieces = [torch.randint(0, 3, (rows, 4), generator=generator).to(dtype) for rows in (2, 0, 5)]
    growing = GrowingTensor()
    for piece in pieces:
        growing.append(piece)
    found = growing.finish()
    assert found.dtype == dtype
    assert torch.equal(found, torch.cat(pieces))
    rows = torch.tensor([3, 0, 3])
    assert torch.equal(found.index_select(0, rows), torch.cat(pieces).index_select(0, rows))


def test_what_has_no_pieces_has_no_type() -> None:
    with pytest.raises(RuntimeError, match="no type"):
        GrowingTensor().finish()


def test_a_mapped_tensor_outlives_what_made_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GDSFD_ARRAY_BYTES", "0")
    growing = GrowingTensor()
    growing.append(torch.arange(10_000))
    found = growing.finish()
    del growing
    assert isinstance(np.asarray(found), np.ndarray)
    assert int(found.sum()) == sum(range(10_000))
