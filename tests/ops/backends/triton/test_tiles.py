"""Shapes of tiles, and which tensors the kernels take."""

from __future__ import annotations

import pytest
import torch
from ops.backends.triton.cases import Case

from gdsfd.errors import InputError
from gdsfd.ops import aggregate
from gdsfd.ops.backends.triton.tiles import Tiles, accumulator, check_tensor


@pytest.mark.parametrize("owners", [None, 1, 5000, 10**6])
@pytest.mark.parametrize("channels", [1, 3, 64, 100, 128, 129, 700])
def test_tiles_are_powers_of_two_and_cover_everything(channels: int, owners: int | None) -> None:
    tiles = Tiles(channels, owners)
    assert set(tiles.sizes()) == {"R", "BC"}
    for size in tiles.sizes().values():
        assert size & (size - 1) == 0
    assert tiles.rows * tiles.block <= 2048
    assert (tiles.blocks - 1) * tiles.block < channels <= tiles.blocks * tiles.block
    for rows in (1, tiles.rows, tiles.rows + 1):
        programs, blocks = tiles.over(rows)
        assert blocks == tiles.blocks
        assert (programs - 1) * tiles.rows < rows <= programs * tiles.rows


def test_few_owners_get_low_tiles() -> None:
    assert Tiles(128, 100).rows == 4
    assert Tiles(128, 10**6).rows == Tiles(128).rows == 16


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16])
def test_sums_are_in_single_precision_at_least(dtype: torch.dtype) -> None:
    assert accumulator(torch.zeros(1, dtype=dtype))[0] == torch.promote_types(dtype, torch.float32)


def test_what_is_refused() -> None:
    with pytest.raises(InputError, match=r"aggregate: the backend 'triton' takes floating-point .* got torch.int64"):
        aggregate(torch.ones(3, 2, dtype=torch.long), None, Case().graph(), "left", "sum", "none", backend="triton")
    with pytest.raises(InputError, match=r"edge_update: .* takes CUDA tensors, got one on cpu; move it"):
        check_tensor("edge_update", torch.ones(1), interpreted=False)
    check_tensor("edge_update", torch.ones(1), interpreted=True)
