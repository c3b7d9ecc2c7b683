"""umse: modalities exchange through bottleneck vectors that absent ones take no part in."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import torch
from torch import Tensor, nn

from gdsfd.nn.backbones.card import Card
from gdsfd.nn.backbones.fusion_backbone import Fused, FusionBackbone
from gdsfd.nn.backbones.registry import register_backbone
from gdsfd.nn.fusion.attention import TransformerBlock
from gdsfd.nn.fusion.masked import masked_mean, masked_softmax
from gdsfd.nn.fusion.modality_linear import ModalityLinear
from gdsfd.nn.fusion.token_expander import TokenExpander, narrow_width
from gdsfd.setting_checks import Number, Whole

__all__ = ["UmseBackbone"]


@register_backbone("umse")
class UmseBackbone(FusionBackbone):
    r"""Multimodal bottleneck attention with skips.

    In each layer every modality's rows :math:`[b; \mathrm{cls}_k; T_k]` pass a block of its own. Of the bottleneck that
    each gives back, the next layer takes the mean over the modalities a patient has:

    .. math::
        [b^{(k)}; \mathrm{cls}_k; T_k] \leftarrow \mathrm{Block}_k([b; \mathrm{cls}_k; T_k]), \quad
        b \leftarrow \operatorname{mean}^m_k b^{(k)}, \qquad
        p = \textstyle\sum^m_k a_k \, LN(\mathrm{cls}_k), \; a = \mathrm{softmax}^m(\alpha)

    What one modality says reaches another in the second layer: with one, nothing is exchanged. A patient with nothing
    gets a learned vector.

    Args:
        channels: Width d.
        num_modalities: Number of modalities K.
        dropout: Dropout probability.
        edge_drop: Probability of hiding an observation in training.
        layers: Number of layers, at least 2.
        heads: Most attention heads.
        bottlenecks: Number of bottleneck vectors.
        tokens_per_modality: Sub-tokens P of each modality. With one, a block attends over bottleneck, cls, token.
        width: Width w of the blocks; 0 is a quarter of d (:func:`~gdsfd.nn.fusion.narrow_width`).
        expansion: Width of the feed-forward networks' hidden layers over w.

    Shapes:
        - tokens: [E, d]; pooled: [B, d]

    References:
        [code] UMSE (Lee et al., MLHC 2023), after CareBench's port, whose skip is inverted and which has one layer.
        [ours] One token per modality, blocks in a quarter of the width, feed-forward networks no wider than they: a
        step costs less than two of ``muse`` so. Lost: the embedding of event sets (an encoder's part).
    """

    card = Card(
        "Lee et al., MLHC 2023", "code", "it is skipped in bottlenecks and readout", "the embedding of sets of events"
    )

    def __init__(
        self,
        channels: int,
        num_modalities: int,
        dropout: float = 0.25,
        edge_drop: Annotated[float, Number(0, 1, below=True)] = 0.15,
        layers: Annotated[int, Whole(2, 16)] = 2,
        heads: Annotated[int, Whole(1, 64)] = 2,
        bottlenecks: Annotated[int, Whole(1, 64)] = 1,
        tokens_per_modality: Annotated[int, Whole(1, 64)] = 1,
        width: Annotated[int, Whole(0, 4096)] = 0,
        expansion: Annotated[int, Whole(1, 16)] = 1,
    ) -> None:
        super().__init__(channels, num_modalities, dropout, edge_drop)
        width = narrow_width(channels, width)
        self.expander = TokenExpander(num_modalities, channels, tokens_per_modality, width)
        self.bottleneck = nn.Parameter(torch.randn(bottlenecks, width) / width**0.5)
        self.cls = nn.Parameter(torch.randn(num_modalities, 1, width) / width**0.5)
        linear = partial(ModalityLinear, num_modalities, first=True)
        self.blocks = nn.ModuleList(TransformerBlock(width, heads, dropout, linear, expansion) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        self.out = nn.Linear(width, channels) if width != channels else nn.Identity()
        self.share = nn.Parameter(torch.zeros(num_modalities))
        self.nothing = nn.Parameter(torch.zeros(channels))

    def fuse(self, grid: Tensor, there: Tensor, y: Tensor | None) -> Fused:
        """Embeds patients; see :class:`FusionBackbone`."""
        weight = masked_softmax(self.share.expand_as(there), there > 0)
        pooled = (self.norm(self.exchange(grid, there)) * weight.unsqueeze(2)).sum(1)
        return Fused(torch.where(there.any(1, keepdim=True), self.out(pooled), self.nothing))

    def exchange(self, grid: Tensor, there: Tensor) -> Tensor:
        """Each modality's cls after the last layer; [B, K, d]."""
        patients = len(grid)
        # Modalities first, as their maps take them: [K, B, rows, w].
        own = torch.cat([self.cls.unsqueeze(1).expand(-1, patients, -1, -1), self.expander(grid).transpose(0, 1)], 2)
        shared, size = self.bottleneck.expand(patients, -1, -1), len(self.bottleneck)
        last = self.blocks[-1]
        for block in self.blocks:
            rows = torch.cat([shared.expand(self.num_modalities, -1, -1, -1), own], 2)
            if block is last:
                own = block(rows, rows=slice(size, size + 1))
            else:
                rows = block(rows)
                shared, own = masked_mean(rows[:, :, :size].transpose(0, 1), there), rows[:, :, size:]
        return own[:, :, 0].transpose(0, 1)
