"""Shapes of the tiles, and the types that are calculated with."""

from __future__ import annotations

from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor

from gdsfd.errors import InputError

__all__ = ["ACCUMULATORS", "Tiles", "accumulator", "check_tensor"]

#: Type of all sums, by the type of the inputs.
ACCUMULATORS = {
    torch.float64: (torch.float64, tl.float64),
    torch.float32: (torch.float32, tl.float32),
    torch.bfloat16: (torch.float32, tl.float32),
    torch.float16: (torch.float32, tl.float32),
}

_ELEMENTS = 2048
_CHANNELS = 128


class Tiles:
    """Rows and channels of a tile: 2,048 elements, at most 128 channels, all powers of two.

    Args:
        channels: Channels C of the operation.
        owners: For kernels with a row per owner: few owners get low tiles, to occupy more of the device.

    Attributes:
        rows: R.
        block: BC.
        blocks: Blocks of channels that cover all C.
    """

    def __init__(self, channels: int, owners: int | None = None) -> None:
        self.block: int = min(triton.next_power_of_2(channels), _CHANNELS)
        self.blocks: int = triton.cdiv(channels, self.block)
        self.rows = min(_ELEMENTS // self.block, 64)
        while owners is not None and self.rows > 4 and owners < 512 * self.rows:
            self.rows //= 2

    def over(self, owners: int) -> tuple[int, int]:
        """A grid with R owners per program."""
        return triton.cdiv(owners, self.rows), self.blocks

    def sizes(self) -> dict[str, int]:
        """Arguments of a kernel."""
        return {"R": self.rows, "BC": self.block}


def accumulator(tensor: Tensor) -> tuple[torch.dtype, Any]:
    """The type of sums, for torch and for a kernel."""
    return ACCUMULATORS[tensor.dtype]


def check_tensor(operation: str, tensor: Tensor, interpreted: bool) -> None:
    """Whether the kernels can take a tensor.

    Raises:
        InputError: Wrong dtype, or a tensor that is not on a GPU.
    """
    if tensor.dtype not in ACCUMULATORS:
        raise InputError(f"{operation}: the backend 'triton' takes floating-point tensors, got {tensor.dtype}")
    if not tensor.is_cuda and not interpreted:
        raise InputError(
            f"{operation}: the backend 'triton' takes CUDA tensors, got one on {tensor.device}; "
            "move it, or take backend='auto'"
        )
