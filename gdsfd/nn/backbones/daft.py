"""daft: each modality's token is scaled and shifted by what the others say."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor, nn

from gdsfd.errors import InputError, near_names
from gdsfd.nn.backbones.backbone import Task
from gdsfd.nn.backbones.card import Card
from gdsfd.nn.backbones.fusion_backbone import Fused, FusionBackbone
from gdsfd.nn.backbones.registry import register_backbone
from gdsfd.nn.dropout import Dropout
from gdsfd.nn.fusion.modality_linear import ModalityLinear
from gdsfd.setting_checks import Number

__all__ = ["DaftBackbone"]


@register_backbone("daft")
class DaftBackbone(FusionBackbone):
    r"""Dynamic affine transforms of tokens, in a residual form that starts as the identity.

    .. math::
        (s_{ik}, b_{ik}) &= V_k \, \mathrm{relu}(U_k [m \odot t_i; m_i] + c_k), \qquad V_k = 0 \text{ at the start} \\
        t'_{ik} &= m_{ik} (1 + s_{ik}) \odot t_{ik} + b_{ik}, \qquad p_i = \tfrac1K \textstyle\sum_k t'_{ik}

    Args:
        channels: Width d.
        num_modalities: Number of modalities K.
        dropout: Dropout probability, inside the small networks.
        edge_drop: Probability of hiding an observation in training.
        target: Name of the one modality that is transformed (the original's image); "" = all.

    Shapes:
        - tokens: [E, d]; pooled: [B, d]

    References:
        [paper] DAFT (Wolf et al., NeuroImage 2022): table data scale and shift one block of an image network. [ours]
        "1 +", biases, K modalities, max(8, d / 4) hidden units for 7. Lost: where in an image network it acts.
    """

    card = Card(
        "Wolf et al., NeuroImage 2022",
        "paper",
        "zeros and a flag for the others; its own token is the shift alone",
        "the place in an image network",
    )

    def __init__(
        self,
        channels: int,
        num_modalities: int,
        dropout: float = 0.25,
        edge_drop: Annotated[float, Number(0, 1, below=True)] = 0.15,
        target: str = "",
    ) -> None:
        super().__init__(channels, num_modalities, dropout, edge_drop)
        hidden = max(8, channels // 4)
        self.target = target
        self.into = ModalityLinear(num_modalities, num_modalities * (channels + 1), hidden)
        self.out = ModalityLinear(num_modalities, hidden, 2 * channels, bias=False)
        nn.init.zeros_(self.out.weight)
        self.drop = Dropout(dropout)
        self.register_buffer("moved", torch.ones(num_modalities, 1))

    def set_task(self, task: Task) -> None:
        """Finds the target by its name.

        Raises:
            InputError: There is no such modality.
        """
        super().set_task(task)
        if not self.target:
            return
        if self.target not in self.modality_names:
            near = near_names(self.target, self.modality_names)
            raise InputError(f"option of the backbone 'daft': there is no modality {self.target!r}.{near}")
        chosen = [float(name == self.target) for name in self.modality_names]
        self.get_buffer("moved").copy_(torch.tensor(chosen).unsqueeze(1))

    def fuse(self, grid: Tensor, there: Tensor, y: Tensor | None) -> Fused:
        """Embeds patients; see :class:`FusionBackbone`."""
        said = torch.cat([grid.flatten(1), there], 1).unsqueeze(1).expand(-1, self.num_modalities, -1)
        change = self.out(self.drop(torch.relu(self.into(said)))) * self.get_buffer("moved")
        scale, shift = change.chunk(2, dim=-1)
        return Fused(((1 + scale) * grid + shift).mean(1))
