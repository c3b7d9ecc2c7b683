"""mmtm: each modality's channels are gated by what all modalities say together."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor, nn

from gdsfd.nn.backbones.card import Card
from gdsfd.nn.backbones.fusion_backbone import Fused, FusionBackbone
from gdsfd.nn.backbones.registry import register_backbone
from gdsfd.nn.dropout import Dropout
from gdsfd.nn.fusion.modality_linear import ModalityLinear
from gdsfd.setting_checks import Number, Whole

__all__ = ["MmtmBackbone"]


@register_backbone("mmtm")
class MmtmBackbone(FusionBackbone):
    r"""The multimodal transfer module on tokens: squeeze all modalities, excite each.

    .. math::
        u_i &= \mathrm{relu}(W \, [m \odot t_i; m_i] + b) \in R^{Kd/2} \\
        t'_{ik} &= t_{ik} \odot 2 \sigma(V_k u_i + c_k), \qquad p_i = P \, [m \odot t'_i; m_i] + q

    Args:
        channels: Width d.
        num_modalities: Number of modalities K.
        dropout: Dropout probability, on the gated tokens.
        edge_drop: Probability of hiding an observation in training.
        stages: Gates in a row.

    Shapes:
        - tokens: [E, d]; pooled: [B, d]

    References:
        [paper] MMTM (Joze et al., CVPR 2020), with its factor 2, which makes gates start near 1. [ours] K modalities,
        flags in squeeze and output. Lost: gates at several depths of convolutional encoders, each on its feature map.
    """

    card = Card(
        "Joze et al., CVPR 2020",
        "paper",
        "zeros and a flag in the squeeze; its own token stays out",
        "gates at several depths of convolutional encoders",
    )

    def __init__(
        self,
        channels: int,
        num_modalities: int,
        dropout: float = 0.25,
        edge_drop: Annotated[float, Number(0, 1, below=True)] = 0.15,
        stages: Annotated[int, Whole(1, 8)] = 1,
    ) -> None:
        super().__init__(channels, num_modalities, dropout, edge_drop)
        flat = num_modalities * (channels + 1)
        squeezed = max(num_modalities * channels // 2, 1)
        self.squeeze = nn.ModuleList(nn.Linear(flat, squeezed) for _ in range(stages))
        self.excite = nn.ModuleList(ModalityLinear(num_modalities, squeezed, channels) for _ in range(stages))
        self.drop = Dropout(dropout)
        self.pool = nn.Linear(flat, channels)

    def fuse(self, grid: Tensor, there: Tensor, y: Tensor | None) -> Fused:
        """Embeds patients; see :class:`FusionBackbone`."""
        for squeeze, excite in zip(self.squeeze, self.excite):
            said = torch.relu(squeeze(torch.cat([grid.flatten(1), there], 1)))
            grid = grid * 2 * torch.sigmoid(excite(said.unsqueeze(1).expand(-1, self.num_modalities, -1)))
        return Fused(self.pool(torch.cat([self.drop(grid).flatten(1), there], 1)))
