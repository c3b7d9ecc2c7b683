"""A loss weight that counts more for patients whom the biased head gets wrong."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor

from gdsfd.nn.losses import LossWeight, Targets, element_loss, register_loss_weight
from gdsfd.setting_checks import Number


@register_loss_weight("hard-for-bias")
class HardForBias(LossWeight):
    """One plus the biased head's loss, scaled and brought to mean 1."""

    needs_streams = True

    def __init__(self, num_rows: int, num_outputs: int, scale: Annotated[float, Number(0, 10)] = 1.0) -> None:
        super().__init__(num_rows, num_outputs)
        self.scale = scale

    def forward(self, causal: Tensor, biased: Tensor | None, targets: Targets) -> Tensor:
        """Weights as the labels."""
        assert biased is not None
        loss, labelled = element_loss(biased, targets.y)
        weight = 1 + self.scale * loss
        return weight / weight[labelled].mean() if bool(labelled.any()) else torch.ones_like(weight)
