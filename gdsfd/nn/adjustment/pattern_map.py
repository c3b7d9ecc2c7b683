"""Map from every pattern of present modalities to a frequent one."""

from __future__ import annotations

import torch
from torch import Tensor

from gdsfd.errors import InputError, NotFittedError, SchemaError
from gdsfd.nn.adjustment.fitted_buffers import FittedBuffers

__all__ = ["PatternMap"]

_ROWS = 8192  # of a large table that are compared with the kept patterns at once


class PatternMap(FittedBuffers):
    r"""Maps every pattern of present modalities to one of those that enough training patients have.

    A pattern :math:`m \in \{0, 1\}^K` goes to the kept pattern :math:`k` at the least Hamming distance
    :math:`|m| + |k| - 2 \, m \cdot k`. Among several at that distance the one of most training patients is taken, then
    the one with the fewest modalities that the patient lacks (a subset before a superset), then the first. A kept
    pattern is its own nearest; one never seen in training goes the same way.

    Attributes:
        kept: The patterns, the most frequent first; bool [P, K].
        count: Training patients that have exactly this pattern; int64 [P].
        patients: Training patients that are mapped to it; int64 [P], sums to N.

    References:
        Our formulation.

    Example:
        >>> patterns = PatternMap()
        >>> patterns.fit(torch.tensor([[True, True], [True, True], [True, False]]), least=2)
        >>> patterns(torch.tensor([[True, False], [False, False]]))
        tensor([0, 0])
    """

    sized_by_data = ("kept", "count", "patients")
    kept: Tensor
    count: Tensor
    patients: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("kept", torch.zeros(0, 0, dtype=torch.bool))
        self.register_buffer("count", torch.zeros(0, dtype=torch.long))
        self.register_buffer("patients", torch.zeros(0, dtype=torch.long))

    @property
    def num_patterns(self) -> int:
        """Number of kept patterns P; 0 before fitting."""
        return self.kept.size(0)

    @torch.no_grad()
    def fit(self, presence: Tensor, least: int) -> None:
        """Keeps the patterns that at least ``least`` training patients have, or the most frequent one.

        Args:
            presence: True where a training patient has a modality; bool [N, K].
            least: Training patients that a pattern needs.

        Raises:
            InputError: There is no training patient.
        """
        if presence.dim() != 2 or presence.size(0) == 0:
            raise InputError(
                f"patterns: expected the presence of training patients, [N, K] with N > 0, got {tuple(presence.shape)}"
            )
        presence = presence.to(self.kept.device, torch.bool)
        # Sorted bytes: unique rows come in lexicographic order, so equal counts keep a fixed order.
        rows, inverse, count = torch.unique(presence.to(torch.uint8), dim=0, return_inverse=True, return_counts=True)
        order = count.argsort(descending=True, stable=True)
        kept = order[: max(int((count >= least).sum()), 1)]
        self.kept, self.count = rows[kept].bool(), count[kept]
        nearest = self(rows.bool())[inverse]
        self.patients = torch.bincount(nearest, minlength=len(kept))

    @torch.no_grad()
    def forward(self, presence: Tensor) -> Tensor:
        """The place of each patient's pattern among the kept ones; int64 [B].

        Args:
            presence: bool [B, K].

        Raises:
            NotFittedError: Before :meth:`fit`.
            SchemaError: Another number of modalities than in training.
        """
        if self.num_patterns == 0:
            raise NotFittedError("the pattern map has not been fitted; call fit() with the training patients' presence")
        if presence.dim() != 2 or presence.size(1) != self.kept.size(1):
            raise SchemaError(
                f"patterns: expected presence [patients, {self.kept.size(1)}], got {tuple(presence.shape)}"
            )
        presence = presence.to(self.kept.device, torch.bool)
        if len(presence) <= _ROWS:
            return self._nearest(presence)
        return torch.cat([self._nearest(rows) for rows in presence.split(_ROWS)])

    def _nearest(self, presence: Tensor) -> Tensor:
        """One matrix product, then one whole number per pair that orders by distance, count, lacking and place."""
        own, kept = presence.float(), self.kept.float()
        shared = (own @ kept.T).long()  # [B, P]; sums of ones, exact at any precision that holds K
        sizes = self.kept.sum(1)
        lacking = sizes - shared
        distance = presence.sum(1, keepdim=True) - shared + lacking
        rank = (self.count > self.count.unsqueeze(1)).sum(1)  # how many patterns more patients have
        places, modalities = self.kept.shape
        key = ((distance * places + rank) * (modalities + 1) + lacking) * places
        return (key + torch.arange(places, device=key.device)).argmin(1)

    def extra_repr(self) -> str:
        return f"patterns={self.num_patterns}, modalities={self.kept.size(1)}"
