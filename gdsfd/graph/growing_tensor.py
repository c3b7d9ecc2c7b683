"""A tensor that is made piece by piece and becomes a mapped file where it is large."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from gdsfd.large_arrays import GrowingArray

__all__ = ["GrowingTensor"]

#: Types that numpy has none for, and the type of the same size that stands for them on their way.
_STANDS_FOR = {torch.bfloat16: torch.int16}


class GrowingTensor:
    """Pieces along the first axis, to be one tensor (see :class:`~gdsfd.large_arrays.GrowingArray`).

    On a device the pieces stay there and nothing becomes a file. The first piece gives type and width.

    Example:
        >>> growing = GrowingTensor()
        >>> growing.append(torch.ones(1, 2))
        >>> growing.append(torch.zeros(1, 2))
        >>> growing.finish()
        tensor([[1., 1.],
                [0., 0.]])
    """

    def __init__(self) -> None:
        self._on_device: list[Tensor] = []
        self._array: GrowingArray | None = None
        self._dtype: torch.dtype | None = None

    def append(self, piece: Tensor) -> None:
        """Adds rows, [n, ...].

        Raises:
            OSError: The disk has no room for them.
        """
        if piece.device.type != "cpu":
            self._on_device.append(piece)
            return
        array = piece.detach().contiguous().view(_STANDS_FOR.get(piece.dtype, piece.dtype)).numpy()
        if self._array is None:
            self._array, self._dtype = GrowingArray(array.dtype, array.shape[1:]), piece.dtype
        self._array.append(array)

    def finish(self) -> Tensor:
        """The whole tensor.

        Raises:
            RuntimeError: There was no piece, which would say what type it has.
        """
        if self._on_device:
            return torch.cat(self._on_device)
        if self._array is None or self._dtype is None:
            raise RuntimeError("a tensor of no pieces has no type")
        return torch.from_numpy(np.asarray(self._array.finish())).view(self._dtype)
