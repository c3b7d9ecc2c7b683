"""Encoder of time-stamped values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor, nn

from gdsfd.cohort.fields import SUMMARY_COLUMNS, ModalityFields
from gdsfd.nn.encoders.numeric import NumericTransform
from gdsfd.nn.encoders.step_sequence import StepSequence, dense_steps

__all__ = ["EventsEncoder"]

_VALUES = ("mean", "min", "max", "first", "last")
_PER_ITEM = len(_VALUES) + 4  # and: rank of the mean, last minus first, log count, present


class EventsEncoder(nn.Module):
    """Summary statistics of every item, with or without a recurrent view of the time steps beside them.

    On cohorts of a few thousand patients a recurrence alone falls short of boosting on summaries; the summaries are
    therefore always in, and ``sequence="none"`` is the light alternative without the recurrence. Our formulation.

    Args:
        fields: The modality's fitted description (kind ``events``).
        out_channels: Width d of the token.
        dropout: Probability of zeroing a hidden unit.
        sequence: ``"gru"`` or ``"none"``.

    Shapes:
        - observations: ``ptr`` [E + 1], ``step``, ``item``, ``value`` [M], ``summary_ptr`` [E + 1],
          ``summary_item`` [S], ``summary`` [S, 6]
        - output: [E, d]
    """

    def __init__(
        self,
        fields: ModalityFields,
        out_channels: int,
        dropout: float = 0.25,
        sequence: Literal["gru", "none"] = "none",
    ) -> None:
        super().__init__()
        self.num_items = len(fields.items)
        self.num_steps = max(fields.steps, 1)
        self.transform = NumericTransform(fields.scales)
        self.summary = nn.Linear(self.num_items * _PER_ITEM, out_channels)
        self.sequence = StepSequence(self.num_items, self.num_steps, out_channels) if self._recurs(sequence) else None
        self.out = nn.Sequential(nn.GELU(), nn.Dropout(dropout), nn.Linear(out_channels, out_channels))

    def _recurs(self, sequence: str) -> bool:
        return sequence == "gru" and self.num_steps > 1

    def forward(self, observations: Mapping[str, Tensor]) -> Tensor:
        """Encodes each observation into one token."""
        hidden = self.summary(self.summary_features(observations))
        if self.sequence is not None:
            owner = _owners(observations["ptr"], observations["value"].numel())
            item = observations["item"].long()
            z, _ = self.transform.select(observations["value"], item)
            size = (observations["ptr"].numel() - 1, self.num_steps, self.num_items)
            hidden = hidden + self.sequence(*dense_steps(z, owner, observations["step"].long(), item, size))
        return self.out(hidden)

    def summary_features(self, observations: Mapping[str, Tensor]) -> Tensor:
        """Per item: z of mean, min, max, first and last, rank of the mean, trend, log count, present; [E, 9 I]."""
        summary, item = observations["summary"], observations["summary_item"].long()
        owner = _owners(observations["summary_ptr"], item.numel())
        scaled = [self.transform.select(summary[:, SUMMARY_COLUMNS.index(name)].contiguous(), item) for name in _VALUES]
        z = [pair[0] for pair in scaled]
        count = summary[:, SUMMARY_COLUMNS.index("count")]
        columns = [*z, scaled[0][1], z[4] - z[3], torch.log1p(count) / 3, torch.ones_like(count)]
        num_observations = observations["summary_ptr"].numel() - 1
        grid = summary.new_zeros(num_observations * self.num_items, _PER_ITEM)
        grid = grid.index_put((owner * self.num_items + item,), torch.stack(columns, dim=-1))
        return grid.view(num_observations, self.num_items * _PER_ITEM)


def _owners(ptr: Tensor, total: int) -> Tensor:
    size = ptr[1:] - ptr[:-1]
    return torch.repeat_interleave(torch.arange(size.numel(), device=ptr.device), size, output_size=total)
