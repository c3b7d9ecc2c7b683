"""What a view of a modality's events over time is, beside their summaries."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Literal

from torch import Tensor, nn

__all__ = ["EventSequence", "SequenceName"]

#: Views of events over time, a setting of :class:`~gdsfd.training.config.TrainConfig`.
SequenceName = Literal["gru", "utde", "set", "none"]


class EventSequence(nn.Module, ABC):
    """Reads the events of each observation as a list; what it gives is added to the token of their summaries.

    Args:
        num_items: Items I.
        num_steps: Steps T of the window.
    """

    def __init__(self, num_items: int, num_steps: int) -> None:
        super().__init__()
        self.num_items, self.num_steps = num_items, num_steps

    @abstractmethod
    def read(self, value: Tensor, owner: Tensor, step: Tensor, item: Tensor, observations: int) -> Tensor:
        """Reads a batch.

        Args:
            value: Transformed value of each event, float [M].
            owner: Observation of each event, int64 [M], ascending.
            step: Time step of each event, int64 [M].
            item: Item of each event, int64 [M].
            observations: Observations E.

        Returns:
            float [E, d]; the same whatever the order of an observation's events, and finite for one without any.
        """
