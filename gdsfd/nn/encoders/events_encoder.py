"""Encoder of time-stamped values."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from gdsfd.cohort.schema import SUMMARY_COLUMNS, ModalityFields
from gdsfd.nn.encoders.cells import CellPlan, Cells
from gdsfd.nn.encoders.encoder import register_encoder
from gdsfd.nn.encoders.event_sequence import EventSequence, SequenceName
from gdsfd.nn.encoders.event_set import EventSet
from gdsfd.nn.encoders.feature_encoder import FeatureEncoder
from gdsfd.nn.encoders.numeric import NumericTransform, hinges
from gdsfd.nn.encoders.step_sequence import StepSequence
from gdsfd.nn.encoders.time_attention import TimeAttention

__all__ = ["EventsEncoder"]

_FIRST_VALUE = SUMMARY_COLUMNS.index("mean")  # mean, min, max, first, last follow each other to the end
_PER_ITEM = 3 * (len(SUMMARY_COLUMNS) - _FIRST_VALUE) + 4  # z and hinges; rank of the mean, trend, log count, present

_VIEWS: dict[str, Callable[[int, int, int], EventSequence]] = {
    "gru": StepSequence,
    "utde": TimeAttention,
    "set": EventSet,
}


@register_encoder("events")
class EventsEncoder(FeatureEncoder):
    """Summary statistics of every item, with or without a view over time beside them.

    On cohorts of a few thousand patients a recurrence alone falls short of boosting on summaries; the summaries are
    therefore always in, and ``sequence="none"`` is the light alternative without a view over time. Our formulation.

    Args:
        fields: The modality's fitted description (kind ``events``).
        out_channels: Width d of the token.
        dropout: Probability of zeroing a hidden unit.
        sequence: ``"gru"``, ``"utde"``, ``"set"`` or ``"none"``.

    Shapes:
        - observations: ``run_ptr`` [E + 1], ``step``, ``item``, ``value`` [M], ``summary_ptr`` [E + 1],
          ``summary_item`` [S], ``summary`` [S, 6]
        - output: [E, d]
    """

    takes_sequence = True

    def __init__(
        self,
        fields: ModalityFields,
        out_channels: int,
        dropout: float = 0.25,
        sequence: SequenceName = "none",
    ) -> None:
        super().__init__(fields, len(fields.items) * _PER_ITEM, out_channels, dropout)
        self.num_items = len(fields.items)
        self.num_steps = max(fields.steps, 1)
        self.transform = NumericTransform(fields.scales)
        kind = _VIEWS.get(sequence)
        only_step = self.num_steps == 1 and sequence != "set"  # nothing to read over time
        self.sequence = None if kind is None or only_step else kind(self.num_items, self.num_steps, out_channels)

    @property
    def also_reads(self) -> tuple[str, ...]:
        """Pointers of the packed runs that are read beside the features."""
        return ("run_ptr",) if self.sequence is not None else ()

    @property
    def in_grid(self) -> bool:
        """Without a view over time."""
        return self.sequence is None and type(self).forward is EventsEncoder.forward and self._has_usual_parts

    def forward(self, observations: Mapping[str, Tensor]) -> Tensor:
        """Encodes each observation into one token."""
        hidden = self.token(self.features(observations))
        if self.sequence is not None:
            owner = _owners(observations["run_ptr"], observations["value"].numel())
            item = observations["item"].long()
            z, step = self.transform.squash(observations["value"], item), observations["step"].long()
            hidden = hidden + self.sequence.read(z, owner, step, item, observations["run_ptr"].numel() - 1)
        return self.out(hidden)

    def features(self, observations: Mapping[str, Tensor]) -> Tensor:
        """Per item: z and hinges of mean, min, max, first, last; rank of the mean, trend, log count, present."""
        if "features" in observations:
            return observations["features"]
        summary, item = observations["summary"], observations["summary_item"].long()
        owner = _owners(observations["summary_ptr"], item.numel())
        values = summary[:, _FIRST_VALUE:]
        z = self.transform.squash(values, item.unsqueeze(-1))  # [S, 5]
        rank = self.transform.rank(values[:, 0].contiguous(), item)
        count = summary[:, SUMMARY_COLUMNS.index("count")]
        columns = [rank, z[:, -1] - z[:, -2], torch.log1p(count) / 3, torch.ones_like(count)]
        features = torch.cat([z, *hinges(z), torch.stack(columns, dim=-1)], dim=-1)
        num_observations = observations["summary_ptr"].numel() - 1
        grid = features.new_zeros(num_observations * self.num_items, _PER_ITEM)
        grid = grid.index_put((owner * self.num_items + item,), features)
        return grid.view(num_observations, self.num_items * _PER_ITEM)

    @property
    def cell_plan(self) -> CellPlan:
        """A node per item; its values are all summaries of the item."""
        valued = torch.arange(self.num_items * _PER_ITEM).view(self.num_items, _PER_ITEM)
        return CellPlan(valued, torch.empty(0, dtype=torch.long), flag=_PER_ITEM - 1)

    def cells(self, observations: Mapping[str, Tensor]) -> Cells:
        """Measured items of each observation, without the recurrence's view of them."""
        features = self.features(observations)
        grid = features.view(features.size(0), self.num_items, _PER_ITEM)
        observation, item = (grid[:, :, -1] > 0).nonzero(as_tuple=True)
        return Cells(observation, item, grid[observation, item], grid.size(0))


def _owners(ptr: Tensor, total: int) -> Tensor:
    size = ptr[1:] - ptr[:-1]
    return torch.repeat_interleave(torch.arange(size.numel(), device=ptr.device), size, output_size=total)
