"""medfuse: a recurrence over the modalities a patient has."""

from __future__ import annotations

from typing import Annotated, Literal

import torch
from torch import Tensor, nn

from gdsfd.nn.backbones.card import Card
from gdsfd.nn.backbones.fusion_backbone import Fused, FusionBackbone
from gdsfd.nn.backbones.registry import register_backbone
from gdsfd.nn.dropout import Dropout
from gdsfd.nn.fusion.row_linear import RowLinear
from gdsfd.setting_checks import Number

__all__ = ["MedFuseBackbone"]


@register_backbone("medfuse")
class MedFuseBackbone(FusionBackbone):
    r"""One LSTM over the sequence of a patient's present tokens.

    .. math:: (h, c) \leftarrow m_{ik} \, \mathrm{LSTM}(t_{ik}, (h, c)) + (1 - m_{ik}) (h, c), \quad k = 1 .. K

    from :math:`h = c = 0`; the last h is the embedding. All K steps run for everybody, and a patient's state stays
    where the modality is absent: the numbers are those of each patient's own, shorter sequence.

    Args:
        channels: Width d.
        num_modalities: Number of modalities K.
        dropout: Dropout probability, of tokens.
        edge_drop: Probability of hiding an observation in training.
        order: Of the sequence: that of the spec, ``"reversed"``, or ``"random"`` in every training step (in evaluation
            that of the spec). Order is part of the method.

    Shapes:
        - tokens: [E, d]; pooled: [B, d], 0 for a patient with nothing

    References:
        [code] MedFuse (Hayat et al., MLHC 2022): a missing image is a shorter sequence. [ours] K modalities,
        vectorised. Lost: encoders trained alone first and fused afterwards.
    """

    card = Card(
        "Hayat et al., MLHC 2022", "code", "a shorter sequence", "encoders trained alone first, fusion afterwards"
    )

    def __init__(
        self,
        channels: int,
        num_modalities: int,
        dropout: float = 0.25,
        edge_drop: Annotated[float, Number(0, 1, below=True)] = 0.15,
        order: Literal["spec", "reversed", "random"] = "spec",
    ) -> None:
        super().__init__(channels, num_modalities, dropout, edge_drop)
        self.order = order
        self.drop = Dropout(dropout)
        self.project = RowLinear(channels, channels)
        self.of_input = RowLinear(channels, 4 * channels)
        self.of_state = nn.Linear(channels, 4 * channels)

    def fuse(self, grid: Tensor, there: Tensor, y: Tensor | None) -> Fused:
        """Embeds patients; see :class:`FusionBackbone`."""
        if self.order == "random" and self.training:
            places = torch.rand(self.num_modalities, device=grid.device).argsort()
            grid, there = grid.index_select(1, places), there.index_select(1, places)
        elif self.order == "reversed":
            grid, there = grid.flip(1), there.flip(1)
        inputs = self.of_input(self.project(self.drop(grid)))
        hidden = cell = torch.zeros_like(grid[:, 0])
        for each, has in zip(inputs.unbind(1), there.unsqueeze(2).unbind(1)):
            into, forget, new, out = (each + self.of_state(hidden)).chunk(4, dim=-1)
            moved = torch.sigmoid(forget) * cell + torch.sigmoid(into) * torch.tanh(new)
            cell, hidden = (
                torch.where(has > 0, moved, cell),
                torch.where(has > 0, torch.sigmoid(out) * torch.tanh(moved), hidden),
            )
        return Fused(hidden)
