"""aug: late fusion in which the modality that lags behind gets further layers, one after another."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated

import torch
from torch import Tensor, nn

from gdsfd.nn.backbones.backbone import Task
from gdsfd.nn.backbones.card import Card
from gdsfd.nn.backbones.fusion_backbone import Fused, FusionBackbone
from gdsfd.nn.backbones.registry import register_backbone
from gdsfd.nn.dropout import Dropout
from gdsfd.nn.embeddings import Part
from gdsfd.nn.fusion.masked import masked_mean
from gdsfd.nn.fusion.modality_linear import ModalityLinear
from gdsfd.nn.fusion.row_linear import RowLinear
from gdsfd.nn.losses.outcome_loss import element_loss
from gdsfd.setting_checks import Number, Whole

__all__ = ["AugBackbone"]


@register_backbone("aug")
class AugBackbone(FusionBackbone):
    r"""Boosting of the weakest modality by layers of its own.

    .. math::
        o_k^0 &= F \, \mathrm{relu}(E_k t_k) + b, \qquad \delta_k^j = F \, \mathrm{relu}(A_{kj} t_k), \qquad
        o_k^j = o_k^{j-1} + \delta_k^j, \qquad z = \operatorname{mean}^m_k o_k^{J_k} \\
        L &= \ell(z) + \textstyle\sum^m_k \ell(o_k^J) + \ell(o_k^{J-1}) + (1 - \tfrac12 p_y) \, \ell(\delta_k^J + b),
        \qquad p_y = \mathrm{softmax}(o_k^{J-1})_y \text{ without gradient}

    with one head F for all; the last two terms only where :math:`J_k > 0`: a new layer learns less from patients whom
    those before predict well. After the first epoch and ten times in a run the modality whose :math:`o_k^J` gave the
    true labels the least mean probability, over the epoch's labelled patients who have it, gets a layer, where the best
    one's is more than ``ratio`` times as high.

    Args:
        channels: Width d.
        num_modalities: Number of modalities K.
        dropout: Dropout probability, of tokens.
        edge_drop: Probability of hiding an observation in training.
        layers: Most further layers of a modality. All exist from the start, so that the optimiser knows them; a buffer
            says how many count.
        ratio: See above, at least 1.
        parts: Weight of all terms but the first.

    Shapes:
        - tokens: [E, d]; pooled: [B, d], the mean of the patient's tokens; logits: [B, C]

    References:
        [code] Jiang et al., NeurIPS 2025 (whose added layers are not in the optimiser, and never train). [ours] K
        modalities with equal weights; the true side's probability of binary outcomes; F's bias counts once; the
        probabilities are those of the epoch's steps. Lost: fusion weights by hand.
    """

    streams_on = "pooled"
    own_logits = True
    reads_truth = True
    card = Card("Jiang et al., NeurIPS 2025", "code", "its term drops out", "fusion weights by hand", interaction=False)
    depth: Tensor

    def __init__(
        self,
        channels: int,
        num_modalities: int,
        dropout: float = 0.25,
        edge_drop: Annotated[float, Number(0, 1, below=True)] = 0.0,
        layers: Annotated[int, Whole(0, 64)] = 4,
        ratio: Annotated[float, Number(1, 1000)] = 1.01,
        parts: Annotated[float, Number(0, 1000)] = 1.0,
    ) -> None:
        super().__init__(channels, num_modalities, dropout, edge_drop)
        self.layers, self.ratio, self.parts_weight = layers, ratio, parts
        self.drop = Dropout(dropout)
        self.first = ModalityLinear(num_modalities, channels, channels)
        self.added = ModalityLinear(num_modalities, channels, layers * channels) if layers else None
        self.register_buffer("depth", torch.zeros(num_modalities))

    def set_task(self, task: Task) -> None:
        """Makes the head."""
        super().set_task(task)
        self.head = RowLinear(self.channels, task.outputs, bias=False)
        self.bias = nn.Parameter(torch.zeros(task.outputs))

    def start_from(self, bias: Tensor) -> None:
        """The head starts at the training shares."""
        self.bias.copy_(bias)

    def fuse(self, grid: Tensor, there: Tensor, y: Tensor | None) -> Fused:
        """Embeds patients; see :class:`FusionBackbone`."""
        seen = self.drop(grid)
        scores = self.head(torch.relu(self.first(seen))) + self.bias  # [B, K, C]
        last = torch.zeros_like(scores)
        if self.added is not None:
            steps = self.head(torch.relu(self.added(seen)).unflatten(-1, (self.layers, -1)))  # [B, K, layers, C]
            number = torch.arange(1, self.layers + 1, device=grid.device)
            counts, is_last = (
                each(self.depth.unsqueeze(1), number).to(steps.dtype).unsqueeze(-1) for each in (torch.ge, torch.eq)
            )
            scores, last = scores + (steps * counts).sum(2), (steps * is_last).sum(2)
        has = there.any(1, keepdim=True)
        logits = torch.where(has, masked_mean(scores, there), self.bias)
        parts = self.of_each(scores, there)
        if self.training and self.added is not None:
            parts |= self.boosted(scores - last, last, there * (self.depth > 0), y)
        return Fused(masked_mean(grid, there), logits, parts)

    def boosted(self, before: Tensor, last: Tensor, rows: Tensor, y: Tensor | None) -> dict[str, Part]:
        """The terms of the last layers.

        Args:
            before: Scores without them; [B, K, C].
            last: What they add; [B, K, C].
            rows: 1 where present and there is such a layer, else 0; [B, K].
            y: Labels.
        """
        found = {}
        for name, one, step, mine in zip(self.modality_names, before.unbind(1), last.unbind(1), rows.unbind(1)):
            share = mine
            if y is not None:
                easy = torch.exp(-element_loss(one.detach(), y)[0])
                share = (1 - 0.5 * easy) * mine.view(-1, *[1] * (easy.dim() - 1))
            found[f"{name} before"] = Part(mine > 0, one)
            found[f"{name} last"] = Part(share, step + self.bias)
        return found

    def end_epoch(self, figures: Mapping[str, float]) -> None:
        """Gives the modality that lags behind a layer."""
        if (figures["epoch"] - 1) % max(1, figures["max_epochs"] // 10):
            return
        told = [figures.get(f"truth of {name}", math.nan) for name in self.modality_names]
        known = {number: truth for number, truth in enumerate(told) if not math.isnan(truth)}
        if not known:
            return
        weakest = min(known, key=lambda number: known[number])
        if max(known.values()) > self.ratio * known[weakest] and self.depth[weakest] < self.layers:
            self.depth[weakest] += 1
