"""The pattern intervention: a patient's graph under another pattern of training patients."""

from __future__ import annotations

import torch
from torch import Tensor

from gdsfd.cohort.schema import CohortSchema
from gdsfd.graph.grid_layout import Layout
from gdsfd.nn.adjustment.fitted_buffers import FittedBuffers
from gdsfd.nn.streams.modality_dropout import draw_patterns, modality_of_cells, remove_modality_edges

__all__ = ["MOST", "PatternIntervention"]

#: Most patterns that are drawn from; every patient of a batch is compared with each in every step.
MOST = 1024


class PatternIntervention(FittedBuffers):
    """Re-draws each patient's pattern from the training patterns that it contains, and deletes the other edges.

    Args:
        schema: The cohort's fitted description.
        cells: Whether the backbone's nodes are cells of modalities.

    Attributes:
        patterns: The training patients' patterns, at most :data:`MOST`; bool [P, K].
        count: How many have each; int64 [P].

    References:
        Our formulation (METHODS 2.3).
    """

    sized_by_data = ("patterns", "count")
    patterns: Tensor
    count: Tensor

    def __init__(self, schema: CohortSchema, cells: bool = False) -> None:
        super().__init__()
        self.register_buffer("patterns", torch.zeros(0, len(schema.names), dtype=torch.bool))
        self.register_buffer("count", torch.zeros(0, dtype=torch.long))
        modality_of = modality_of_cells(schema) if cells else None
        self.register_buffer("modality_of", modality_of, persistent=False)

    @torch.no_grad()
    def fit(self, presence: Tensor) -> None:
        """Takes the training patients' patterns, the :data:`MOST` most frequent; ``presence`` bool [N, K]."""
        patterns, count = torch.unique(presence.to(self.patterns.device), dim=0, return_counts=True)
        if len(count) > MOST:
            kept = count.argsort(descending=True, stable=True)[:MOST].sort().values
            patterns, count = patterns[kept], count[kept]
        self.patterns, self.count = patterns, count

    def forward(self, tokens: Tensor, layout: Layout, presence: Tensor) -> tuple[Tensor, Layout]:
        """Tokens and layout of the reduced graph.

        Args:
            tokens: One token per edge, [E, d].
            layout: The edges, to modalities or to cells.
            presence: True where a patient has a modality; bool [B, K].
        """
        keep = draw_patterns(presence, self.patterns, self.count)
        modality_of = self.modality_of
        assert modality_of is None or isinstance(modality_of, Tensor)
        return remove_modality_edges(tokens, layout, keep, modality_of)
