"""mt: a transformer over all modalities' tokens, trained on what patients have and on parts of it."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor, nn

from gdsfd.nn.backbones.card import Card
from gdsfd.nn.backbones.fusion_backbone import Fused, FusionBackbone
from gdsfd.nn.backbones.registry import register_backbone
from gdsfd.nn.embeddings import Part
from gdsfd.nn.fusion.attention import TransformerBlock
from gdsfd.nn.fusion.subsets import proper_subset
from gdsfd.nn.fusion.token_expander import TokenExpander
from gdsfd.setting_checks import Number, Whole

__all__ = ["MtBackbone"]


@register_backbone("mt")
class MtBackbone(FusionBackbone):
    r"""A multimodal transformer with subset tasks.

    .. math::
        x_i = [\mathrm{cls}; T_{i1} + e_1; ..; T_{iK} + e_K], \qquad
        L = \ell(p(S_i)) + w \, E_{S \subset S_i} \, \ell(p(S))

    through pre-norm blocks in which only what a patient has can be read; p is the normed row of cls. In the first F
    blocks tokens read their own modality alone and cls reads all; from there on everything reads everything. The
    second term is estimated by one proper subset per patient and step (size uniform, then set uniform).

    Args:
        channels: Width d.
        num_modalities: Number of modalities K.
        dropout: Dropout probability.
        edge_drop: Probability of hiding an observation in training, before the subset is drawn.
        layers: Number of blocks.
        heads: Most attention heads.
        tokens_per_modality: Sub-tokens P of each modality (:class:`~gdsfd.nn.fusion.TokenExpander`).
        fusion_from: The first block F in which modalities read each other; 0 to ``layers``.
        subsets: Weight w of the subset task.

    Shapes:
        - tokens: [E, d]; pooled: [B, d]

    References:
        [paper] Ma et al., CVPR 2022: full and missing-modality tasks trained together through masks, and a layer of
        fusion that depends on the data. [ours] one subset per step; F is a setting. Lost: pre-trained vision-language
        weights, and the differentiable search for F.
    """

    card = Card(
        "Ma et al., CVPR 2022", "paper", "masked keys", "pre-trained vision-language weights; the search for the layer"
    )

    def __init__(
        self,
        channels: int,
        num_modalities: int,
        dropout: float = 0.25,
        edge_drop: Annotated[float, Number(0, 1, below=True)] = 0.0,
        layers: Annotated[int, Whole(1, 16)] = 2,
        heads: Annotated[int, Whole(1, 64)] = 4,
        tokens_per_modality: Annotated[int, Whole(1, 64)] = 4,
        fusion_from: Annotated[int, Whole(0, 16)] = 0,
        subsets: Annotated[float, Number(0, 1000)] = 1.0,
    ) -> None:
        super().__init__(channels, num_modalities, dropout, edge_drop)
        self.fusion_from, self.parts_weight = fusion_from, subsets
        self.expander = TokenExpander(num_modalities, channels, tokens_per_modality)
        self.cls = nn.Parameter(torch.randn(channels) / channels**0.5)
        self.kind = nn.Parameter(torch.randn(num_modalities, 1, channels) / channels**0.5)
        self.blocks = nn.ModuleList(TransformerBlock(channels, heads, dropout) for _ in range(layers))
        self.norm = nn.LayerNorm(channels)
        whose = torch.arange(num_modalities).repeat_interleave(tokens_per_modality) + 1
        whose = torch.cat([whose.new_zeros(1), whose])  # 0 is cls
        inside = (whose.unsqueeze(1) == whose) | (whose == 0).unsqueeze(1)
        self.register_buffer("inside", inside, persistent=False)

    def fuse(self, grid: Tensor, there: Tensor, y: Tensor | None) -> Fused:
        """Embeds patients; see :class:`FusionBackbone`."""
        sub = self.expander(grid) + self.kind
        if not self.training or not self.parts_weight:
            return Fused(self.read(sub, there))
        both = self.read(torch.cat([sub, sub]), torch.cat([there, proper_subset(there)]))
        pooled, some = both.chunk(2)
        return Fused(pooled, parts={"a subset": Part(there.sum(1) > 1, code=some)})

    def read(self, sub: Tensor, there: Tensor) -> Tensor:
        """The code of patients.

        Args:
            sub: Sub-tokens, finite also where absent; [B, K, P, d].
            there: 1 where present, else 0; [B, K].

        Returns:
            [B, d].
        """
        found = self.states(sub, there)[:, 0]
        code: Tensor = self.norm(found)
        return code

    def states(self, sub: Tensor, there: Tensor) -> Tensor:
        """All rows after the last block, cls first; [B, 1 + K P, d]."""
        flat = sub.flatten(1, 2)
        rows = torch.cat([self.cls.expand(len(flat), 1, -1), flat], 1)
        has = there.unsqueeze(2).expand(-1, -1, sub.size(2)).flatten(1) > 0
        has = torch.cat([torch.ones_like(there[:, :1], dtype=torch.bool), has], 1).unsqueeze(1)
        for number, block in enumerate(self.blocks):
            rows = block(rows, has if number >= self.fusion_from else has & self.get_buffer("inside"))
        return rows
