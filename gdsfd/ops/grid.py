"""Grid: every pair of a left and a right node has a place, and a weight says whether there is an edge."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from gdsfd.ops.backends.composition import Activation
from gdsfd.ops.bipartite import Side

__all__ = ["Grid"]


@dataclass(eq=False)
class Grid:
    """Edges in a fixed shape: edge values are [R, L, C], hub after hub, with room for what is absent.

    Nothing here depends on how many edges there are, so an operation can be captured, compiled or mapped over the
    members of an ensemble (:func:`torch.vmap`). What stands at an absent edge must be finite; it takes no part.

    Args:
        there: 1 where there is an edge, else 0; float [R, L].
    """

    there: Tensor

    @property
    def num_left(self) -> int:
        """Number of left nodes."""
        return self.there.size(1)

    @property
    def num_right(self) -> int:
        """Number of right nodes."""
        return self.there.size(0)

    @cached_property
    def _column(self) -> Tensor:
        return self.there.unsqueeze(2)

    def weight(self, mask: Tensor | None) -> Tensor:
        """What a message counts by: its mask where there is an edge, else 0; [R, L, 1] or [R, L, C].

        Args:
            mask: [R, L] or [R, L, C]; None = 1.
        """
        if mask is None:
            return self._column
        return self._column * (mask.unsqueeze(2) if mask.dim() == 2 else mask)

    def sum(self, values: Tensor, toward: Side) -> Tensor:
        """Sum over the places of each node of one side; [R, L, C] to [L, C] or [R, C]."""
        return values.sum(0 if toward == "left" else 1)

    def weighted_total(
        self, node: Tensor, edge: Tensor | None, mask: Tensor | None, toward: Side, activation: Activation
    ) -> Tensor:
        """Sum of the messages into each node of one side, as :func:`gdsfd.ops.aggregate` has it.

        Args:
            node: The sources' term, [S, C] or [1, C].
            edge: The edges' term, [R, L, C]; None = the messages have none.
            mask: See :meth:`weight`.
            toward: The side of the destinations.
            activation: ``relu`` or ``none``.
        """
        message = node.unsqueeze(0 if toward == "right" else 1)
        if edge is not None:
            message = message + edge
        if activation == "relu":
            message = torch.relu(message)
        return self.sum(message * self.weight(mask), toward)

    def degree(self, mask: Tensor | None, side: Side) -> Tensor:
        """Sum of the weights of each node's edges; [nodes, 1] or [nodes, C]."""
        return self.sum(self.weight(mask), side)

    def update(
        self, left: Tensor, right: Tensor, edge: Tensor, residual: Tensor | None, activation: Activation
    ) -> Tensor:
        """New edge values, as :func:`gdsfd.ops.edge_update` has them; [R, L, C]."""
        term = left.unsqueeze(0) + right.unsqueeze(1) + edge
        if activation == "relu":
            term = torch.relu(term)
        return term if residual is None else residual + term
