"""A recurrent view of binned events."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gdsfd.nn.encoders.event_sequence import EventSequence

__all__ = ["StepSequence", "dense_steps"]


def dense_steps(
    value: Tensor, owner: Tensor, step: Tensor, item: Tensor, size: tuple[int, int, int]
) -> tuple[Tensor, Tensor]:
    """Lays packed cells out as a grid and carries each item's last value forward.

    Args:
        value: Transformed value of each cell, float [M].
        owner: Observation of each cell, int64 [M].
        step: Time step of each cell, int64 [M].
        item: Item of each cell, int64 [M].
        size: Observations E, steps T, items I.

    Returns:
        Values carried forward (0 before the first measurement) and whether the cell itself was measured, both
        float [E, T, I].
    """
    num_observations, num_steps, num_items = size
    flat = (owner * num_steps + step) * num_items + item
    grid = value.new_zeros(num_observations * num_steps * num_items)
    grid = grid.index_put((flat,), value).view(size)
    seen = torch.zeros_like(grid).view(-1).index_fill(0, flat, 1.0).view(size)
    position = torch.arange(num_steps, device=value.device).view(1, -1, 1)
    latest = torch.where(seen > 0, position, position.new_zeros(())).cummax(dim=1).values
    return grid.gather(1, latest), seen


class StepSequence(EventSequence):
    """A GRU over time steps with the masks as input.

    Args:
        num_items: Items I.
        num_steps: Steps T.
        out_channels: Width d of the state.

    Shapes:
        - values, seen: float [E, T, I]
        - output: [E, d], the mean of the states and the last state, projected
    """

    def __init__(self, num_items: int, num_steps: int, out_channels: int) -> None:
        super().__init__(num_items, num_steps)
        self.recurrent = nn.GRU(2 * num_items, out_channels, batch_first=True)
        self.out = nn.Linear(2 * out_channels, out_channels)

    def forward(self, values: Tensor, seen: Tensor) -> Tensor:
        """Runs the recurrence over all steps of the window."""
        states, _ = self.recurrent(torch.cat([values, seen], dim=-1))
        found: Tensor = self.out(torch.cat([states.mean(1), states[:, -1]], dim=-1))
        return found

    def read(self, value: Tensor, owner: Tensor, step: Tensor, item: Tensor, observations: int) -> Tensor:
        """Reads a batch; see :class:`~gdsfd.nn.encoders.event_sequence.EventSequence`."""
        return self(*dense_steps(value, owner, step, item, (observations, self.num_steps, self.num_items)))
