"""One edge list for all modalities: the layout the compute core works on."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from gdsfd.ops import segment_mean
from gdsfd.ops.bipartite import Bipartite

__all__ = ["EdgeLayout"]


@dataclass(eq=False)
class EdgeLayout:
    """Observations of all modalities as one edge list, sorted by modality.

    Each modality's edges are contiguous: its hub is one slice.

    Args:
        patient: Patient of each edge; int64 [E], ascending inside each modality.
        modality: Modality of each edge; int64 [E], ascending.
        modality_ptr: The edges of modality ``k`` are ``modality_ptr[k]:modality_ptr[k + 1]``; int64 [K + 1].
        num_patients: Number of patients B; patients without an edge count.
        num_modalities: Number of modalities K; modalities without an edge count.
    """

    patient: Tensor
    modality: Tensor
    modality_ptr: Tensor
    num_patients: int
    num_modalities: int

    @classmethod
    def from_lists(cls, patients: list[Tensor], num_patients: int) -> EdgeLayout:
        """Builds the layout from one patient array per modality.

        Args:
            patients: For each modality the patients that have it; int64 [E_k].
            num_patients: Number of patients B.
        """
        device = patients[0].device if patients else torch.device("cpu")
        counts = torch.tensor([0] + [len(patient) for patient in patients], device=device)
        modality_ptr = counts.cumsum(0)
        modality = torch.repeat_interleave(torch.arange(len(patients), device=device), counts[1:])
        patient = torch.cat(patients) if patients else torch.empty(0, dtype=torch.long)
        return cls(patient, modality, modality_ptr, num_patients, len(patients))

    @property
    def num_edges(self) -> int:
        """Number of observations E."""
        return self.patient.numel()

    @property
    def modality_degree(self) -> Tensor:
        """Number of patients each modality has; int64 [K]."""
        return self.edges.right_degree

    @cached_property
    def presence(self) -> Tensor:
        """True where a patient has a modality; bool [B, K]."""
        flags = torch.zeros(self.num_patients, self.num_modalities, dtype=torch.bool, device=self.patient.device)
        flags[self.patient, self.modality] = True
        return flags

    @cached_property
    def edges(self) -> Bipartite:
        """The same edges as :mod:`gdsfd.ops` takes them: left = patients, right = modalities."""
        return Bipartite(self.patient, self.modality, self.modality_ptr, self.num_patients, self.num_modalities)

    def hide(self, probability: float) -> tuple[EdgeLayout, Tensor | None]:
        """Hides each edge at random.

        Args:
            probability: Of hiding an edge.

        Returns:
            The layout of the edges that are left, and their places here, int64, by which values of edges are taken;
            None where values stay where they are.
        """
        kept = (torch.rand(self.num_edges, device=self.patient.device) >= probability).nonzero().squeeze(1)
        return self.take(kept), kept

    def of_patients(self, values: Tensor) -> Tensor:
        """Values of the edges' patients; [B, C] to [E, C]."""
        return values.index_select(0, self.patient)

    def of_modalities(self, values: Tensor) -> Tensor:
        """Values of the edges' modalities; [K, C] to [E, C]."""
        return values.index_select(0, self.modality)

    def patient_mean(self, values: Tensor) -> Tensor:
        """Mean over each patient's edges, 0 without any; [E, C] to [B, C]."""
        return segment_mean(values, self.patient, self.num_patients)

    def flat_tokens(self, values: Tensor) -> Tensor:
        """Each patient's values side by side, 0 where a modality is missing; [E, C] to [B, K, C]."""
        grid = values.new_zeros(self.num_patients, self.num_modalities, values.size(1))
        return grid.index_put((self.patient, self.modality), values)

    def keep(self, mask: Tensor) -> EdgeLayout:
        """The layout with only the edges where ``mask`` is True, bool [E]; see :meth:`take`."""
        return self.take(mask.nonzero().squeeze(1))

    def take(self, edges: Tensor) -> EdgeLayout:
        """The layout with only some of its edges; the patients and modalities stay.

        Args:
            edges: Their places, ascending; int64.
        """
        ptr = torch.searchsorted(edges, self.modality_ptr)
        return EdgeLayout(self.patient[edges], self.modality[edges], ptr, self.num_patients, self.num_modalities)
