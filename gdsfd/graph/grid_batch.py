"""A batch of patients in fixed shapes: scaled inputs of every modality, and who has which."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from gdsfd.graph.grid_layout import GridLayout

__all__ = ["GridBatch"]


@dataclass(eq=False)
class GridBatch:
    """Some patients of a graph, every tensor of a shape that depends on their number only.

    Args:
        rows: Rows of the graph's patients, in batch order; int64 [B].
        inputs: What the encoders' maps to tokens read (``FeatureEncoder.scaled``), the modalities side by side, 0
            where a patient has none; float [B, F].
        layout: Who has which modality.
        y: The batch's labels as in the graph, or None.
        tokens: One network's tokens of these patients where they have been worked out already, float [K, B, d].
    """

    rows: Tensor
    inputs: Tensor
    layout: GridLayout
    y: Tensor | None = None
    tokens: Tensor | None = None

    def __len__(self) -> int:
        return self.rows.size(0)

    @cached_property
    def device(self) -> torch.device:
        """Where the tensors are."""
        return self.rows.device

    def to(self, device: torch.device | str) -> GridBatch:
        """The batch with every tensor on ``device``; itself where it is there already."""
        if self.device == torch.device(device):
            return self
        layout = GridLayout(self.layout.there.to(device))
        y, tokens = (None if each is None else each.to(device) for each in (self.y, self.tokens))
        return GridBatch(self.rows.to(device), self.inputs.to(device), layout, y, tokens)
