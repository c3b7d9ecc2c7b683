"""Encoder of one-row-per-patient tables."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from gdsfd.cohort.schema import LEVEL_MISSING, ModalityFields
from gdsfd.nn.encoders.cells import CellPlan, Cells
from gdsfd.nn.encoders.encoder import register_encoder
from gdsfd.nn.encoders.feature_encoder import FeatureEncoder
from gdsfd.nn.encoders.numeric import NumericTransform

__all__ = ["TableEncoder"]

_PER_NUMBER = 5  # z, rank, high and low hinge, observed


@register_encoder("table")
class TableEncoder(FeatureEncoder):
    """Numeric columns with missing-value flags, and one embedding per categorical level.

    A level's embedding is the column of a linear map for its 0/1 indicator; a missing cell has no indicator.

    Args:
        fields: The modality's fitted description (kind ``table``).
        out_channels: Width d of the token.
        dropout: Probability of zeroing a hidden unit.

    Shapes:
        - observations: ``numeric`` [E, C] (NaN = not measured), ``categorical`` [E, D]
        - output: [E, d]
    """

    levels_before: Tensor

    def __init__(self, fields: ModalityFields, out_channels: int, dropout: float = 0.25) -> None:
        sizes = [len(levels) + 1 for levels in fields.levels]  # the levels and "unseen"; a missing cell has no place
        super().__init__(fields, _PER_NUMBER * len(fields.numeric) + sum(sizes), out_channels, dropout)
        self.transform = NumericTransform(fields.scales)
        before = [sum(sizes[:column]) for column in range(len(sizes))]
        self.register_buffer("levels_before", torch.tensor(before, dtype=torch.long))
        self.num_levels = sum(sizes)

    def features(self, observations: Mapping[str, Tensor]) -> Tensor:
        """Inputs of each number, then the levels' indicators; [E, 5 C + levels]."""
        if "features" in observations:
            return observations["features"]
        levels = observations["categorical"]
        indicators = observations["numeric"].new_zeros(levels.size(0), self.num_levels + 1)
        place = torch.where(levels == LEVEL_MISSING, self.num_levels, levels - 1 + self.levels_before)
        indicators.scatter_(1, place, 1.0)
        return torch.cat([*self.transform(observations["numeric"]), indicators[:, : self.num_levels]], dim=-1)

    @property
    def cell_plan(self) -> CellPlan:
        """A node with values per number, and one per level that a patient has or not."""
        columns = self.transform.num_columns
        valued = torch.arange(_PER_NUMBER * columns).view(_PER_NUMBER, columns).t()
        return CellPlan(valued, torch.arange(self.num_levels) + valued.numel(), flag=_PER_NUMBER - 1)

    def cells(self, observations: Mapping[str, Tensor]) -> Cells:
        """Measured numbers and levels of each observation."""
        features, columns = self.features(observations), self.transform.num_columns
        numbers = features[:, : _PER_NUMBER * columns].view(features.size(0), _PER_NUMBER, columns)
        there = torch.cat([numbers[:, -1], features[:, _PER_NUMBER * columns :]], dim=1) > 0
        observation, node = there.nonzero(as_tuple=True)
        value = features.new_zeros(node.numel(), _PER_NUMBER)
        number = (node < columns).nonzero().squeeze(1)
        value[number] = numbers[observation[number], :, node[number]]
        return Cells(observation, node, value, features.size(0))
