"""Rows of an edge-wise matrix for patients: how kinds with one row per observation are flattened."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["rows_for"]


def rows_for(values: NDArray[np.floating], edges: NDArray[np.int64]) -> NDArray[np.float32]:
    """Rows of a matrix by observation; NaN for a patient without one.

    Args:
        values: One row per observation; [E, F].
        edges: For each row wanted its observation, -1 = absent; int64 [n].

    Returns:
        float32 [n, F].

    Example:
        >>> rows_for(np.array([[1.0], [2.0]]), np.array([1, -1]))[:, 0].tolist()
        [2.0, nan]
    """
    result = np.full((len(edges), values.shape[1]), np.nan, dtype=np.float32)
    there = edges >= 0
    result[there] = values[edges[there]]
    return result
