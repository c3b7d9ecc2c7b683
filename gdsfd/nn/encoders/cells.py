"""Cells: single measured values, each an edge between a patient and a feature node."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from gdsfd.graph.edge_layout import EdgeLayout

__all__ = ["CellLayout", "CellPlan", "Cells"]


@dataclass(eq=False)
class Cells:
    """What one modality's observations hold, value by value.

    A *node* is a feature of the modality: a column, an item, a level, a code, or a whole vector. Nodes with values come
    first (:attr:`CellPlan.valued`), then those that are only there or not (:attr:`CellPlan.indicator`).

    Args:
        observation: Observation of each cell; int64 [M], ascending.
        node: Node of each cell within the modality; int64 [M], distinct within an observation.
        value: The encoder's features that belong to the cell; float [M, V]. What stands there for a node without values
            has no meaning.
        num_observations: Number of observations E; those without a cell count.
    """

    observation: Tensor
    node: Tensor
    value: Tensor
    num_observations: int

    def runs(self) -> tuple[Tensor, dict[str, Tensor]]:
        """The cells as packed runs: how many each observation has, int64 [E], and the tensors that are packed."""
        length = torch.bincount(self.observation, minlength=self.num_observations)
        return length, {"cell_node": self.node, "cell_value": self.value}

    @classmethod
    def from_runs(cls, ptr: Tensor, node: Tensor, value: Tensor) -> Cells:
        """The cells of packed runs with pointers ``ptr`` [E + 1]."""
        rows = torch.arange(ptr.numel() - 1, device=ptr.device)
        return cls(torch.repeat_interleave(rows, ptr.diff(), output_size=node.numel()), node, value, rows.numel())


@dataclass(frozen=True, eq=False)
class CellPlan:
    """Which of an encoder's features the values of its cells are.

    Args:
        valued: For each node with values the features they are; int64 [nodes, V].
        indicator: For each node without values the feature that says whether it is there; int64 [nodes].
        flag: Column of ``valued`` that is 1 in every cell (the cell is there), or None.
    """

    valued: Tensor
    indicator: Tensor
    flag: int | None = None


@dataclass(eq=False)
class CellLayout(EdgeLayout):
    """The edges between patients and feature nodes: feature nodes stand where modalities stand in an `EdgeLayout`.

    Args:
        value: First value of each cell (z of a number), standardised on training patients; NaN for nodes without
            values. float [E].
    """

    value: Tensor

    def keep(self, mask: Tensor) -> CellLayout:
        """The layout with only the edges where ``mask`` is True; see ``EdgeLayout.keep``."""
        kept = super().keep(mask)
        nodes = (kept.modality_ptr, kept.num_patients, kept.num_modalities)
        return CellLayout(kept.patient, kept.modality, *nodes, self.value[mask])
