"""unimodal: one modality by itself, the control of every fusion."""

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
from gdsfd.nn.embeddings import Part
from gdsfd.setting_checks import Number

__all__ = ["UnimodalBackbone"]


@register_backbone("unimodal")
class UnimodalBackbone(FusionBackbone):
    r"""A network on one modality; patients without it get what such patients get on average.

    .. math:: z_i = m_{ik} \, (V \, \mathrm{MLP}(t_{ik}) + c) + (1 - m_{ik}) \, u, \qquad u \in R^C

    Args:
        channels: Width d.
        num_modalities: Number of modalities K.
        dropout: Dropout probability.
        edge_drop: Probability of hiding an observation in training.
        modality: Name of the modality k; "" = the first.

    Shapes:
        - tokens: [E, d]; pooled: [B, d], 0 for those without k; logits: [B, C]

    References:
        [ours] A control; the network is that of :class:`~gdsfd.nn.backbones.concat.ConcatBackbone`.
    """

    streams_on = "pooled"
    own_logits = True
    parts_weight = 0.0
    card = Card("ours (a control)", "ours", "a learned vector of scores for those without", interaction=False)

    def __init__(
        self,
        channels: int,
        num_modalities: int,
        dropout: float = 0.25,
        edge_drop: Annotated[float, Number(0, 1, below=True)] = 0.0,
        modality: str = "",
    ) -> None:
        super().__init__(channels, num_modalities, dropout, edge_drop)
        self.modality, self.number = modality, 0
        self.network = nn.Sequential(
            nn.Linear(channels, channels), nn.GELU(), Dropout(dropout), nn.Linear(channels, channels), nn.GELU()
        )

    def set_task(self, task: Task) -> None:
        """Makes the head, and finds the modality by its name.

        Raises:
            InputError: There is no such modality.
        """
        super().set_task(task)
        if self.modality and self.modality not in self.modality_names:
            near = near_names(self.modality, self.modality_names)
            raise InputError(f"option of the backbone 'unimodal': there is no modality {self.modality!r}.{near}")
        self.number = self.modality_names.index(self.modality) if self.modality else 0
        self.head = nn.Linear(self.channels, task.outputs)
        self.without = nn.Parameter(torch.zeros(task.outputs))
        self.drop = Dropout(self.dropout)

    def start_from(self, bias: Tensor) -> None:
        """Both scores start at the training shares."""
        self.head.bias.copy_(bias)
        self.without.copy_(bias)

    def fuse(self, grid: Tensor, there: Tensor, y: Tensor | None) -> Fused:
        """Embeds patients; see :class:`FusionBackbone`."""
        has = there[:, self.number].unsqueeze(1)
        code = self.network(grid[:, self.number]) * has
        logits = torch.where(has > 0, self.head(self.drop(code)), self.without)
        name = self.modality_names[self.number]
        return Fused(code, logits, {name: Part(has.squeeze(1) > 0, logits)})
