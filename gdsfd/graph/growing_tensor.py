"""A tensor that is made piece by piece and becomes a mapped file where it is large."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from gdsfd.large_arrays import GrowingArray, expect

__all__ = ["GrowingTensor", "take_rows"]

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
        array = self._array.finish()
        tensor = torch.from_numpy(np.asarray(array)).view(self._dtype)
        tensor.mapped_from = array  # type: ignore[attr-defined]  # :func:`take_rows` looks there
        return tensor


def take_rows(tensor: Tensor, rows: Tensor) -> Tensor:
    """Rows of a tensor, a copy; of a mapped one they are read from the disk together.

    Args:
        tensor: Any, and those that :meth:`GrowingTensor.finish` gave.
        rows: int64 [n].
    """
    array = getattr(tensor, "mapped_from", None)
    if array is not None:
        expect(array, rows.numpy())
    return tensor.index_select(0, rows)
