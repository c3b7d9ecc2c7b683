"""Packed runs: a flat array and pointers to where each owner's part begins."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

__all__ = ["pieces_of_runs", "pointers", "runs_for", "spread"]

_CELLS = 1 << 20  #: of a piece, where nothing else is said


def pointers(owner: NDArray[np.integer]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The distinct owners of a sorted array and where their runs begin.

    Args:
        owner: Ascending; [M].

    Returns:
        Distinct owners [E] and pointers [E + 1].

    Example:
        >>> pointers(np.array([3, 3, 7]))
        (array([3, 7]), array([0, 2, 3]))
    """
    if not len(owner):
        return np.zeros(0, dtype=np.int64), np.zeros(1, dtype=np.int64)
    starts = np.flatnonzero(np.concatenate([[True], owner[1:] != owner[:-1]]))
    return owner[starts].astype(np.int64), np.append(starts, len(owner)).astype(np.int64)


def spread(ptr: NDArray[np.int64], runs: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Lays chosen runs one after the other.

    Args:
        ptr: Pointers of the packed runs; [R + 1].
        runs: Numbers of the runs wanted, repeats allowed; [Q].

    Returns:
        For every element of the result the position in ``runs`` it comes from, and its place in the flat array.

    Example:
        >>> spread(np.array([0, 2, 5]), np.array([1, 0]))
        (array([0, 0, 0, 1, 1]), array([2, 3, 4, 0, 1]))
    """
    lengths = (ptr[1:] - ptr[:-1])[runs]
    owner = np.repeat(np.arange(len(runs)), lengths)
    first = np.cumsum(lengths) - lengths
    place = np.arange(int(lengths.sum())) - first[owner] + ptr[runs][owner]
    return owner, place


def runs_for(ptr: NDArray[np.int64], edges: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Cells of the packed runs of some observations, and the place in ``edges`` that each belongs to.

    Args:
        ptr: Pointers of the packed runs; [E + 1].
        edges: Observations wanted, -1 = none; [n].

    Example:
        >>> runs_for(np.array([0, 2, 5]), np.array([1, -1, 0]))
        (array([2, 3, 4, 0, 1]), array([0, 0, 0, 2, 2]))
    """
    there = np.flatnonzero(edges >= 0)
    owner, place = spread(ptr, edges[there])
    return place, there[owner]


def pieces_of_runs(ptr: NDArray[np.int64], cells: int = _CELLS) -> Iterator[tuple[int, int]]:
    """Packed runs in pieces of bounded size, for what would otherwise need arrays as long as all cells together.

    Args:
        ptr: Pointers of the packed runs; [R + 1].
        cells: The most cells of a piece; a longer run is a piece by itself.

    Yields:
        The first run of a piece, and the one after its last.

    Example:
        >>> list(pieces_of_runs(np.array([0, 2, 5, 5, 6]), cells=4))
        [(0, 1), (1, 4)]
    """
    first, runs = 0, len(ptr) - 1
    while first < runs:
        last = max(first + 1, int(np.searchsorted(ptr, ptr[first] + cells, side="right")) - 1)
        yield first, last
        first = last
