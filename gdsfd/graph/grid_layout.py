"""A batch's observations in a fixed shape: a place for every modality of every patient."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from gdsfd.graph.edge_layout import EdgeLayout
from gdsfd.ops.grid import Grid

__all__ = ["GridLayout", "Layout"]


@dataclass(eq=False)
class GridLayout:
    """What :class:`~gdsfd.graph.edge_layout.EdgeLayout` is to a list of edges, for a grid of them.

    Values of edges are [K, B, ...], modality after modality; what stands where a modality is missing is finite and
    takes no part. Both layouts answer to the same names, so a network is written once for both.

    Args:
        there: 1 where a patient has a modality, else 0; float [K, B].
    """

    there: Tensor

    @property
    def num_patients(self) -> int:
        """Number of patients B."""
        return self.there.size(1)

    @property
    def num_modalities(self) -> int:
        """Number of modalities K."""
        return self.there.size(0)

    @cached_property
    def presence(self) -> Tensor:
        """True where a patient has a modality; bool [B, K]."""
        return self.there.t() > 0

    @cached_property
    def edges(self) -> Grid:
        """The same edges as :mod:`gdsfd.ops` takes them: left = patients, right = modalities."""
        return Grid(self.there)

    def hide(self, probability: float) -> tuple[GridLayout, None]:
        """Hides each edge at random; see :meth:`EdgeLayout.hide`. Values of edges stay where they are."""
        kept = torch.rand_like(self.there) >= probability
        return GridLayout(self.there * kept), None

    def restrict(self, keep: Tensor) -> GridLayout:
        """The layout with only the edges of the modalities each patient keeps; ``keep`` bool [B, K]."""
        return GridLayout(self.there * keep.t())

    def of_patients(self, values: Tensor) -> Tensor:
        """Values of the edges' patients: [B, C] to [1, B, C], which goes with every modality."""
        return values.unsqueeze(0)

    def of_modalities(self, values: Tensor) -> Tensor:
        """Values of the edges' modalities: [K, C] to [K, 1, C], which goes with every patient."""
        return values.unsqueeze(1)

    def patient_mean(self, values: Tensor) -> Tensor:
        """Mean over each patient's edges, 0 without any; [K, B, C] to [B, C]."""
        count = self.there.sum(0).clamp(min=1).unsqueeze(1)
        return (values * self.there.unsqueeze(2)).sum(0) / count

    def flat_tokens(self, values: Tensor) -> Tensor:
        """Each patient's values side by side, 0 where a modality is missing; [K, B, C] to [B, K, C]."""
        return (values * self.there.unsqueeze(2)).transpose(0, 1)


#: What a network takes: a list of edges, or a grid of them.
Layout = EdgeLayout | GridLayout
