"""drfuse: a common code and one of each modality, weighed for every output by attention."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gdsfd.nn.backbones.backbone import Task
from gdsfd.nn.backbones.card import Card
from gdsfd.nn.backbones.fusion_backbone import Fused, FusionBackbone
from gdsfd.nn.backbones.registry import register_backbone
from gdsfd.nn.dropout import Dropout
from gdsfd.nn.embeddings import Part
from gdsfd.nn.fusion.common_code import common_code, divergence
from gdsfd.nn.fusion.masked import masked_mean, masked_softmax
from gdsfd.nn.fusion.modality_linear import ModalityLinear
from gdsfd.nn.fusion.row_linear import RowLinear
from gdsfd.nn.losses.outcome_loss import element_loss
from gdsfd.setting_checks import Number

__all__ = ["DrFuseBackbone", "ranking_loss"]


def ranking_loss(weight: Tensor, loss: Tensor, there: Tensor, labelled: Tensor) -> Tensor:
    r"""What predicts worse is not to weigh more.

    .. math:: \textstyle\sum_{a < b} \mathrm{relu}(-\mathrm{sign}(\ell_b - \ell_a)(w_a - w_b))

    Args:
        weight: Attention weights of the items; [B, C, items].
        loss: Their own losses, without gradient; [B, C, items].
        there: 1 where an item takes part, else 0; [B, items].
        labelled: Whether an output is labelled; bool [B, C].

    Returns:
        The mean over labelled outputs of all patients.
    """
    sign = torch.sign(loss.unsqueeze(2) - loss.unsqueeze(3))  # [B, C, a, b]: of loss b - loss a
    wrong = torch.relu(-sign * (weight.unsqueeze(3) - weight.unsqueeze(2)))
    pairs = (there.unsqueeze(1) * there.unsqueeze(2)).triu(1).unsqueeze(1)
    counted = labelled.to(weight.dtype)
    return ((wrong * pairs).sum((2, 3)) * counted).sum() / counted.sum().clamp(min=1)


@register_backbone("drfuse")
class DrFuseBackbone(FusionBackbone):
    r"""Disentangled codes and an attention per output.

    .. math::
        s_k &= S(t_k), \quad u_k = D_k(t_k), \quad
        \bar s = \mathrm{logit}(\operatorname{mean}^m_k \sigma(s_k)) \\
        w_c &= \mathrm{softmax}_{x}(\bar q \cdot K_c x / \sqrt d), \quad
        x \in \{u_k \text{ present}\} \cup \{\bar s\}, \quad \bar q = \operatorname{mean}_x Q x \\
        z_c &= v_c \cdot \textstyle\sum_x w_c V x + b_c \\
        L &= \ell(z) + \ell(\bar s) + \textstyle\sum^m_k \ell(u_k) + JS(s) + \textstyle\sum^m_k |\cos(s_k, u_k)| + rank

    where :math:`\ell(\bar s)`, :math:`\ell(u_k)` are the outcome's losses of linear heads on those codes.

    Args:
        channels: Width d.
        num_modalities: Number of modalities K.
        dropout: Dropout probability, of tokens.
        edge_drop: Probability of hiding an observation in training.
        parts: Weight of the heads' losses.
        alignment: Weight of the divergence between common codes.
        apart: Weight of the cosines between common and own codes.
        ranking: Weight of :func:`ranking_loss`. At 1, the original's, it follows noise where no modality tells anything
            by itself, and interaction is not learned.

    Shapes:
        - tokens: [E, d]; pooled: [B, d], the mean over outputs of what is read; logits: [B, C]

    References:
        [code] DrFuse (Yao et al., AAAI 2024). [ours] K modalities, the whole Bernoulli entropy, unpaired patients left
        out of the divergence, means over labelled outputs; above 32 outputs one key map and a vector per output. With
        classes the losses that are ranked are the patient's cross-entropies. Lost: two image encoders.
    """

    streams_on = "pooled"
    own_logits = True
    card = Card("Yao et al., AAAI 2024", "code", "no part of the common code; masked", "two image encoders")

    def __init__(
        self,
        channels: int,
        num_modalities: int,
        dropout: float = 0.25,
        edge_drop: Annotated[float, Number(0, 1, below=True)] = 0.0,
        parts: Annotated[float, Number(0, 1000)] = 1.0,
        alignment: Annotated[float, Number(0, 1000)] = 1.0,
        apart: Annotated[float, Number(0, 1000)] = 1.0,
        ranking: Annotated[float, Number(0, 1000)] = 0.1,
    ) -> None:
        super().__init__(channels, num_modalities, dropout, edge_drop)
        self.parts_weight, self.alignment, self.apart, self.ranking = parts, alignment, apart, ranking
        self.drop = Dropout(dropout)
        self.common = nn.Sequential(RowLinear(channels, channels), nn.GELU(), RowLinear(channels, channels))
        self.own = nn.Sequential(
            ModalityLinear(num_modalities, channels, channels),
            nn.GELU(),
            ModalityLinear(num_modalities, channels, channels),
        )
        self.query, self.value = RowLinear(channels, channels), RowLinear(channels, channels)

    def set_task(self, task: Task) -> None:
        """Makes the keys of each output, and the heads."""
        super().set_task(task)
        d, outputs = self.channels, task.outputs
        self.key = ModalityLinear(outputs if outputs <= 32 else 1, d, d, bias=False)
        self.asks = nn.Parameter(torch.ones(outputs, d)) if outputs > 32 else None
        self.score = nn.Parameter(torch.randn(outputs, d) / d**0.5)
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.common_head = nn.Linear(d, outputs)
        self.own_heads = ModalityLinear(self.num_modalities, d, outputs)

    def start_from(self, bias: Tensor) -> None:
        """All heads start at the training shares."""
        for each in (self.bias, self.common_head.bias, self.own_heads.bias):
            assert each is not None
            each.copy_(bias.expand_as(each))

    def fuse(self, grid: Tensor, there: Tensor, y: Tensor | None) -> Fused:
        """Embeds patients; see :class:`FusionBackbone`."""
        seen = self.drop(grid)
        common, own = self.common(seen), self.own(seen)
        shared, has = common_code(common, there), there.any(1)
        items = torch.cat([own, shared.unsqueeze(1)], 1)
        taken = torch.cat([there, has.unsqueeze(1).to(there.dtype)], 1)
        read, weight = self.read(items, taken)
        logits = (read * self.score).sum(-1) + self.bias
        parts = self.of_each(self.own_heads(own), there) | {"common": Part(has, self.common_head(shared))}
        loss = None
        if self.training:
            scores = torch.stack([each.logits for each in parts.values() if each.logits is not None], 2)
            loss = self.own_loss(common, shared, own, there, weight, scores, taken, y)
        return Fused(read.mean(1), logits, parts, loss)

    def read(self, items: Tensor, taken: Tensor) -> tuple[Tensor, Tensor]:
        """What each output reads, [B, C, d], and its attention weights, [B, C, items], 0 for items not taken."""
        # Through the key maps backward: one product for all outputs, and none for every item.
        asked = torch.einsum("bd,cde->bce", masked_mean(self.query(items), taken), self.key.weight)
        asked = asked if self.asks is None else asked * self.asks  # [B, C, d]
        scores = asked @ items.transpose(1, 2) * self.channels**-0.5
        weight = masked_softmax(scores, taken.unsqueeze(1) > 0)
        return weight @ self.value(items), weight

    def own_loss(
        self,
        common: Tensor,
        shared: Tensor,
        own: Tensor,
        there: Tensor,
        weight: Tensor,
        scores: Tensor,
        taken: Tensor,
        y: Tensor | None,
    ) -> Tensor | None:
        """The losses beside the outcome's; None with weights 0."""
        losses = []
        if self.alignment:
            losses.append(self.alignment * divergence(common, there, shared))
        if self.apart:
            cosine = F.cosine_similarity(common, own, dim=-1).abs()
            losses.append(self.apart * (cosine * there).sum() / max(len(there), 1))
        if self.ranking and y is not None:
            each = [element_loss(logits, y) for logits in scores.detach().unbind(2)]
            loss = torch.stack([loss.reshape(len(loss), -1) for loss, _ in each], 2)
            labelled = each[0][1].reshape(len(loss), -1)
            if loss.size(1) != weight.size(1):  # classes share their patient's loss
                loss, labelled = loss.expand(-1, weight.size(1), -1), labelled.expand(-1, weight.size(1))
            losses.append(self.ranking * ranking_loss(weight, loss, taken, labelled))
        return torch.stack(losses).sum() if losses else None
