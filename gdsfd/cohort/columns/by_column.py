"""The columns of a matrix that lies row by row."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["by_column"]

_CELLS = 1 << 22  #: that are copied at a time, and at least a column


def by_column(matrix: NDArray[Any], rows: NDArray[np.bool_] | None = None) -> Iterator[NDArray[Any]]:
    """One column after the other, several read at a time: of a matrix in a file each reading goes through all of it.

    Args:
        matrix: The matrix; [R, C].
        rows: Which rows are wanted; bool [R]; default: all.

    Yields:
        Each column; [n].

    Example:
        >>> [column.tolist() for column in by_column(np.array([[1, 2], [3, 4]]), np.array([True, False]))]
        [[1], [2]]
    """
    size = max(1, _CELLS // max(1, len(matrix)))
    for first in range(0, matrix.shape[1], size):
        part = matrix[:, first : first + size]
        yield from np.ascontiguousarray((part if rows is None else part[rows]).T)
