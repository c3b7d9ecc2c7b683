"""Bipartite: an edge list sorted by hub, with the orders and pointers derived from it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import torch
from torch import Tensor

__all__ = ["Bipartite", "Side"]

Side = Literal["left", "right"]


@dataclass(eq=False)
class Bipartite:
    """An edge list sorted by its right end, with everything that is derived from it kept.

    On the graphs this package is for, left are patients (many, of low degree) and right are hubs (modalities or feature
    nodes). Each hub's edges are one slice.

    Args:
        left: Left end of each edge; int64 [E].
        right: Right end of each edge; int64 [E], ascending.
        right_ptr: The edges of right node ``k`` are ``right_ptr[k]:right_ptr[k + 1]``; int64 [num_right + 1].
        num_left: Number of left nodes; nodes without an edge count.
        num_right: Number of right nodes; nodes without an edge count.
    """

    left: Tensor
    right: Tensor
    right_ptr: Tensor
    num_left: int
    num_right: int

    @classmethod
    def from_edges(cls, left: Tensor, right: Tensor, num_left: int, num_right: int) -> tuple[Bipartite, Tensor]:
        """Sorts edges given in any order.

        Returns:
            The graph, and the permutation that puts edge values into its order; int64 [E].
        """
        order = torch.argsort(right * max(num_left, 1) + left, stable=True)
        degree = torch.bincount(right, minlength=num_right)
        ptr = torch.cat([degree.new_zeros(1), degree.cumsum(0)])
        return cls(left[order], right[order], ptr, num_left, num_right), order

    @property
    def num_edges(self) -> int:
        """Number of edges E."""
        return self.left.numel()

    @cached_property
    def by_left(self) -> Tensor:
        """Permutation that sorts the edges by left node, right node ascending inside each; int64 [E]."""
        return torch.argsort(self.left, stable=True)

    @cached_property
    def left_degree(self) -> Tensor:
        """Edges of each left node; int64 [num_left]."""
        return torch.bincount(self.left, minlength=self.num_left)

    @cached_property
    def left_ptr(self) -> Tensor:
        """In the order of :attr:`by_left` the edges of left node ``i`` are ``left_ptr[i]:left_ptr[i + 1]``."""
        return torch.cat([self.left_degree.new_zeros(1), self.left_degree.cumsum(0)])

    @cached_property
    def right_degree(self) -> Tensor:
        """Edges of each right node; int64 [num_right]."""
        return self.right_ptr[1:] - self.right_ptr[:-1]

    @cached_property
    def complete(self) -> bool:
        """Whether every left node has exactly one edge to every right node, in the order of the left nodes."""
        if not self.num_edges or self.num_edges != self.num_left * self.num_right:
            return False
        order = torch.arange(self.num_left, device=self.left.device).repeat(self.num_right)
        return torch.equal(self.left, order) and bool((self.right_degree == self.num_left).all())

    def ends(self, side: Side) -> Tensor:
        """The edges' ends on one side; int64 [E]."""
        return self.left if side == "left" else self.right

    def num_nodes(self, side: Side) -> int:
        """Nodes on one side."""
        return self.num_left if side == "left" else self.num_right

    def degree(self, side: Side) -> Tensor:
        """Edges of each node on one side; int64."""
        return self.left_degree if side == "left" else self.right_degree
