"""Columns read one after the other, as the rows of a matrix."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gdsfd.large_arrays import GrowingArray

__all__ = ["by_row"]

_CELLS = 1 << 22  #: that are turned at a time


def by_row(columns: NDArray[Any], rows: NDArray[np.bool_], folder: Path | None = None) -> NDArray[Any]:
    """A matrix whose columns lie one after the other, laid row by row.

    Args:
        columns: The columns; [C, R].
        rows: Which rows are wanted; bool [R].
        folder: Where the matrix lies if it is too large for memory (:mod:`gdsfd.large_arrays`).

    Returns:
        The rows wanted; [n, C].

    Raises:
        OSError: The disk has no room for it.

    Example:
        >>> by_row(np.array([[1, 2, 3], [4, 5, 6]]), np.array([True, False, True])).tolist()
        [[1, 4], [3, 6]]
    """
    matrix = GrowingArray(columns.dtype, (len(columns),), folder)
    size = max(1, _CELLS // max(1, len(columns)))
    for first in range(0, len(rows), size):
        piece = slice(first, first + size)
        matrix.append(columns[:, piece].T[rows[piece]])
    return matrix.finish()
