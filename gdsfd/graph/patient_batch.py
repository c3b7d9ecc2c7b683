"""A batch of patients: their observations, packed, and their labels."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from gdsfd.graph.edge_layout import EdgeLayout

__all__ = ["PatientBatch"]


@dataclass(eq=False)
class PatientBatch:
    """Some patients of a graph with all that is known of them.

    ``observations[name]`` holds the tensors of modality ``name`` for the batch's patients only, one row (or one packed
    run) per observation, under the same keys as the graph's edge store:

    ============ ======================================================================================
    kind         keys
    ============ ======================================================================================
    table        ``numeric`` float [E, C] (NaN = not measured), ``categorical`` long [E, D]
    events       ``run_ptr`` [E + 1], ``step`` [M], ``item`` [M], ``value`` float [M], ``summary_ptr`` [E + 1],
                 ``summary_item`` [S], ``summary`` float [S, 6]
    codes        ``run_ptr`` [E + 1], ``code`` [M]
    embedding    ``vector`` float [E, width]
    ============ ======================================================================================

    Args:
        rows: Rows of the graph's patients, in batch order; int64 [B].
        layout: The batch's edges, patients renumbered ``0 .. B-1``; its edges are the modalities' observations one
            modality after the other.
        observations: Modality name -> its tensors.
        y: The batch's labels as in the graph, or None.
    """

    rows: Tensor
    layout: EdgeLayout
    observations: dict[str, dict[str, Tensor]]
    y: Tensor | None = None

    def __len__(self) -> int:
        return self.rows.numel()

    def to(self, device: torch.device | str) -> PatientBatch:
        """The batch with every tensor on ``device``."""
        layout = EdgeLayout(
            self.layout.patient.to(device),
            self.layout.modality.to(device),
            self.layout.modality_ptr.to(device),
            self.layout.num_patients,
            self.layout.num_modalities,
        )
        observations = {
            name: {key: value.to(device) for key, value in tensors.items()}
            for name, tensors in self.observations.items()
        }
        return PatientBatch(self.rows.to(device), layout, observations, None if self.y is None else self.y.to(device))
