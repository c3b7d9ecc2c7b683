"""Groups that strata are formed within: pattern of modalities, crossed with environment."""

from __future__ import annotations

import torch
from torch import Tensor

from gdsfd.errors import InputError, NotFittedError
from gdsfd.nn.adjustment.fitted_buffers import FittedBuffers
from gdsfd.nn.adjustment.pattern_map import PatternMap

__all__ = ["StratumGroups"]


class StratumGroups(FittedBuffers):
    """Numbers the groups of patients inside which clusters are formed.

    A pattern (as :class:`PatternMap` merges them) in an environment is a group if at least ``least`` training patients
    are in both. The other patients of the pattern are its rest group. Environments that were unknown or too rare in
    training go to the pattern's rest group, or to its largest group when it has no rest.

    Attributes:
        table: Group of each pattern in each environment, the last column for unknown ones; int64 [P, E + 1].
        pattern_of: Pattern of each group; int64 [G].
        environment_of: Environment code of each group, -1 for a rest group; int64 [G].
        size: Training patients of each group; int64 [G], sums to N.

    References:
        Our formulation.
    """

    sized_by_data = ("table", "pattern_of", "environment_of", "size")
    table: Tensor
    pattern_of: Tensor
    environment_of: Tensor
    size: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.patterns = PatternMap()
        self.register_buffer("table", torch.zeros(0, 1, dtype=torch.long))
        for name in ("pattern_of", "environment_of", "size"):
            self.register_buffer(name, torch.zeros(0, dtype=torch.long))

    @property
    def num_groups(self) -> int:
        """Number of groups G; 0 before fitting."""
        return self.size.size(0)

    @torch.no_grad()
    def fit(self, presence: Tensor, environment: Tensor | None, least: int, use_pattern: bool = True) -> None:
        """Works the groups out from training patients.

        Args:
            presence: True where a patient has a modality; bool [N, K].
            environment: Environment codes, -1 where unknown; int64 [N]. None: environments are not crossed.
            least: Training patients that a pattern, and a pattern in an environment, needs.
            use_pattern: Whether patterns are told apart.

        Raises:
            InputError: There is no training patient, or not one environment code per patient.
        """
        # With `least` above any count only one pattern is kept, and every patient is mapped to it.
        self.patterns.fit(presence, least if use_pattern else len(presence) + 1)
        if environment is not None and environment.shape != presence.shape[:1]:
            raise InputError(
                f"groups: expected one environment code for each of {len(presence)} patients, "
                f"got {tuple(environment.shape)}"
            )
        device = self.table.device
        pattern, patterns = self.patterns(presence), self.patterns.num_patterns
        code = torch.full_like(pattern, -1) if environment is None else environment.to(device)
        environments = max(int(code.max()) + 1, 0)
        cell = pattern * (environments + 1) + code.where(code >= 0, environments)
        count = torch.bincount(cell, minlength=patterns * (environments + 1)).view(patterns, -1)
        known = count[:, :-1]
        apart = known >= least
        rest = count.sum(1) - known.where(apart, 0).sum(1)
        exists = torch.cat([apart, (rest > 0).unsqueeze(1)], dim=1)  # [P, E + 1]
        number = exists.flatten().cumsum(0).view_as(exists) - 1
        # The first of the largest; every pattern has a group, since every pattern has patients.
        sizes = torch.cat([known, rest.unsqueeze(1)], dim=1).where(exists, -1)
        largest = sizes == sizes.amax(1, keepdim=True)
        first = torch.where(largest, torch.arange(environments + 1, device=device), environments + 1).amin(
            1, keepdim=True
        )
        fallback = torch.where(exists[:, -1:], number[:, -1:], number.gather(1, first))
        self.table = number.where(exists, fallback)
        pattern, place = exists.nonzero(as_tuple=True)
        # Both are columns of one tensor; files of tensors want buffers that share no memory.
        self.pattern_of, self.environment_of = pattern.clone(), place.where(place < environments, -1)
        self.size = sizes[exists]

    @torch.no_grad()
    def forward(self, presence: Tensor, environment: Tensor | None) -> Tensor:
        """The group of each patient; int64 [B] in [0, G).

        Args:
            presence: bool [B, K].
            environment: Codes as in :meth:`fit`, -1 or one not seen there where unknown; int64 [B]. None: all unknown.

        Raises:
            NotFittedError: Before :meth:`fit`.
            SchemaError: Another number of modalities than in training.
        """
        if self.num_groups == 0:
            raise NotFittedError("the groups have not been fitted; call fit() with the training patients")
        pattern, unknown = self.patterns(presence), self.table.size(1) - 1
        if environment is None:
            return self.table[pattern, unknown]
        environment = environment.to(pattern.device)
        seen = (environment >= 0) & (environment < unknown)
        return self.table[pattern, environment.where(seen, unknown)]

    def describe(self) -> list[tuple[Tensor, int | None]]:
        """For each group its pattern, bool [K], and its environment code; None for a rest group or all environments.

        Without patterns, the pattern is the most frequent one, and stands for all.
        """
        codes = self.environment_of.tolist()
        patterns = self.patterns.kept[self.pattern_of]
        return [(pattern, None if code < 0 else code) for pattern, code in zip(patterns, codes, strict=True)]

    def extra_repr(self) -> str:
        return f"groups={self.num_groups}, environments={self.table.size(1) - 1}"
