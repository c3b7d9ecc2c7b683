"""multimodn: a state that each modality there is changes in turn, scored after every change."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor, nn

from gdsfd.nn.backbones.backbone import Task
from gdsfd.nn.backbones.card import Card
from gdsfd.nn.backbones.fusion_backbone import Fused, FusionBackbone
from gdsfd.nn.backbones.registry import register_backbone
from gdsfd.nn.dropout import Dropout
from gdsfd.nn.embeddings import Part
from gdsfd.setting_checks import Number

__all__ = ["MultiModNBackbone"]


@register_backbone("multimodn")
class MultiModNBackbone(FusionBackbone):
    r"""A sequence of modules, one per modality, that hand on a state.

    From a learned :math:`s_0`, for k in the order of the spec:

    .. math::
        s &\leftarrow f_k([t_{ik}; s]) \text{ where k is present, else } s \leftarrow s, \qquad z_i = W s + b \\
        L &= \textstyle\sum_j \ell(W s_j + b) + c \, \operatorname{mean} \|s_j - s_{j-1}\|^2

    with a sum over a patient's states, :math:`s_0` among them, so that whoever has less is scored by a head that was
    trained on it. Absence is never encoded: it changes nothing.

    Args:
        channels: Width d.
        num_modalities: Number of modalities K.
        dropout: Dropout probability, of tokens.
        edge_drop: Probability of hiding an observation in training.
        states: Weight of the losses of the states before the last.
        change: Weight c of the changes, per channel.

    Shapes:
        - tokens: [E, d]; pooled: [B, d], the last state; logits: [B, C]. The parts are the scores after each modality
          that was not the last, and those of the first state: what each test added.

    References:
        [code] MultiModN (Swamy et al., NeurIPS 2023). [ours] all patients in one batch, one head for all outcomes.
    """

    streams_on = "pooled"
    own_logits = True
    card = Card("Swamy et al., NeurIPS 2023", "code", "the state stays what it was")

    def __init__(
        self,
        channels: int,
        num_modalities: int,
        dropout: float = 0.25,
        edge_drop: Annotated[float, Number(0, 1, below=True)] = 0.0,
        states: Annotated[float, Number(0, 1000)] = 1.0,
        change: Annotated[float, Number(0, 1000)] = 0.01,
    ) -> None:
        super().__init__(channels, num_modalities, dropout, edge_drop)
        self.parts_weight, self.change = states, change
        self.drop = Dropout(dropout)
        self.start = nn.Parameter(torch.randn(channels) / channels**0.5)
        self.steps = nn.ModuleList(
            nn.Sequential(nn.Linear(2 * channels, channels), nn.GELU(), nn.Linear(channels, channels))
            for _ in range(num_modalities)
        )

    def set_task(self, task: Task) -> None:
        """Makes the head."""
        super().set_task(task)
        self.head = nn.Linear(self.channels, task.outputs)

    def start_from(self, bias: Tensor) -> None:
        """The head starts at the training shares."""
        self.head.bias.copy_(bias)

    def fuse(self, grid: Tensor, there: Tensor, y: Tensor | None) -> Fused:
        """Embeds patients; see :class:`FusionBackbone`."""
        has, seen = there > 0, self.drop(grid)
        state = self.start.expand(len(grid), -1)
        parts = {"nothing": Part(has.any(1), self.head(state))}
        moved = grid.new_zeros(())
        for number, step in enumerate(self.steps):
            here = has[:, number : number + 1]
            found = torch.where(here, step(torch.cat([seen[:, number], state], 1)), state)
            moved = moved + (found - state).square().mean(1).sum()
            state = found
            later = has[:, number + 1 :].any(1)
            parts[self.modality_names[number]] = Part(here.squeeze(1) & later, self.head(state))
        loss = self.change * moved / there.sum().clamp(min=1) if self.training and self.change else None
        return Fused(state, self.head(state), parts, loss)
