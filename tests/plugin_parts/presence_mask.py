"""A mask that is the same for every observation of a modality."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor, nn

from gdsfd.graph.edge_layout import EdgeLayout
from gdsfd.nn.streams import Mask, register_mask
from gdsfd.setting_checks import Number


@register_mask("by-modality")
class ModalityMask(Mask):
    """One learned score per modality, sharpened."""

    def __init__(
        self, channels: int, num_modalities: int, sharpness: Annotated[float, Number(0, 100, above=True)] = 1.0
    ) -> None:
        super().__init__(channels, num_modalities)
        self.sharpness = sharpness
        self.score = nn.Parameter(torch.zeros(num_modalities))

    def forward(self, tokens: Tensor, layout: EdgeLayout) -> Tensor:
        """Scores [E, 1]."""
        score = torch.sigmoid(self.sharpness * self.score).clamp(1e-3, 1 - 1e-3)
        return score.index_select(0, layout.modality).unsqueeze(1)
