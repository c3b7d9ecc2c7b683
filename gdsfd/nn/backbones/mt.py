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
from gdsfd.nn.fusion.token_expander import TokenExpander, narrow_width
from gdsfd.setting_checks import Number, Whole

__all__ = ["MtBackbone"]


@register_backbone("mt")
class MtBackbone(FusionBackbone):
    r"""A multimodal transformer with subset tasks.

    .. math::
        x_i = [\mathrm{cls}; T_{i1} + e_1; ..; T_{iK} + e_K], \qquad
        L = \ell(p(S_i)) + w \, E_{S \subset S_i} \, \ell(p(S))

    through pre-norm blocks in which only what a patient has can be read; p is the normed row of cls, in width d. In
    the first F blocks tokens read their own modality alone and cls reads all; from there on everything reads
    everything. The second term is estimated by one proper subset per patient and step (size uniform, then set uniform).

    Args:
        channels: Width d.
        num_modalities: Number of modalities K.
        dropout: Dropout probability.
        edge_drop: Probability of hiding an observation in training, before the subset is drawn.
        layers: Number of blocks.
        heads: Most attention heads.
        tokens_per_modality: Sub-tokens P of each modality (:class:`~gdsfd.nn.fusion.TokenExpander`).
        width: Width w of the blocks; 0 is a quarter of d (:func:`~gdsfd.nn.fusion.narrow_width`).
        expansion: Width of the feed-forward networks' hidden layers over w.
        fusion_from: The first block F in which modalities read each other; 0 to ``layers``. Of the last block only cls
            is read, so that with ``layers - 1`` tokens never read each other, and are worked out once for both tasks.
        subsets: Weight w of the subset task.

    Shapes:
        - tokens: [E, d]; pooled: [B, d]

    References:
        [paper] Ma et al., CVPR 2022: full and missing-modality tasks trained together through masks, and a layer of
        fusion that depends on the data. [ours] one subset per step; F is a setting; two blocks in a quarter of the
        width over two tokens per modality, F = 1 (the original: ViLT's size): a step costs less than two of ``muse``.
        Lost: pre-trained vision-language weights, and the differentiable search for F.
    """

    card = Card(
        "Ma et al., CVPR 2022", "paper", "masked keys", "pre-trained vision-language weights; the search for the layer"
    )

    inside: Tensor

    def __init__(
        self,
        channels: int,
        num_modalities: int,
        dropout: float = 0.25,
        edge_drop: Annotated[float, Number(0, 1, below=True)] = 0.0,
        layers: Annotated[int, Whole(1, 16)] = 2,
        heads: Annotated[int, Whole(1, 64)] = 2,
        tokens_per_modality: Annotated[int, Whole(1, 64)] = 2,
        width: Annotated[int, Whole(0, 4096)] = 0,
        expansion: Annotated[int, Whole(1, 16)] = 2,
        fusion_from: Annotated[int, Whole(0, 16)] = 1,
        subsets: Annotated[float, Number(0, 1000)] = 1.0,
    ) -> None:
        super().__init__(channels, num_modalities, dropout, edge_drop)
        self.fusion_from, self.parts_weight = fusion_from, subsets
        width = narrow_width(channels, width)
        self.expander = TokenExpander(num_modalities, channels, tokens_per_modality, width)
        self.cls = nn.Parameter(torch.randn(width) / width**0.5)
        self.kind = nn.Parameter(torch.randn(num_modalities, 1, width) / width**0.5)
        self.blocks = nn.ModuleList(TransformerBlock(width, heads, dropout, expansion=expansion) for _ in range(layers))
        self.norm = nn.LayerNorm(width)
        self.out = nn.Linear(width, channels) if width != channels else nn.Identity()
        whose = torch.arange(num_modalities).repeat_interleave(tokens_per_modality)
        self.register_buffer("inside", whose.unsqueeze(1) == whose, persistent=False)

    def fuse(self, grid: Tensor, there: Tensor, y: Tensor | None) -> Fused:
        """Embeds patients; see :class:`FusionBackbone`."""
        sub = self.expander(grid) + self.kind
        if not self.training or not self.parts_weight:
            return Fused(self.read(sub, there)[0])
        pooled, some = self.read(sub, there, proper_subset(there))
        return Fused(pooled, parts={"a subset": Part(there.sum(1) > 1, code=some)})

    def read(self, sub: Tensor, *sets: Tensor) -> list[Tensor]:
        """The codes of patients, one for each set of modalities.

        Args:
            sub: Sub-tokens, finite also where absent; [B, K, P, w].
            *sets: 1 for a modality in the set, else 0; [B, K].

        Returns:
            [B, d] for each set.
        """
        rows, mask = self.states(sub, *sets)
        views = mask.size(1)
        read = self.out(self.norm(self.blocks[-1](rows, mask, slice(views))))
        return list(read.unbind(1)) if views == len(sets) else list(read[:, 0].chunk(len(sets)))

    def states(self, sub: Tensor, *sets: Tensor) -> tuple[Tensor, Tensor]:
        """What the last block reads.

        As long as modalities do not read each other their tokens are the same whatever the set. They stand once then,
        behind a row cls for each set; where they do, but for the last block, each set has rows of its own.

        Returns:
            Rows, [B, sets + K P, w] or [sets B, 1 + K P, w], and what the rows cls may read of them, bool.
        """
        flat, views = sub.flatten(1, 2), len(sets)
        early = min(self.fusion_from, len(self.blocks) - 1)
        has = torch.stack(sets, 1).repeat_interleave(sub.size(2), 2) > 0  # [B, sets, K P]
        rows = torch.cat([self.cls.expand(len(flat), views, -1), flat], 1)
        itself = torch.eye(views, dtype=torch.bool, device=has.device).expand(len(has), -1, -1)
        mask = torch.cat([itself, has], 2)
        inside = torch.cat([self.inside.new_zeros(len(self.inside), views), self.inside], 1)
        for block in self.blocks[:early]:
            rows = block(rows, torch.cat([mask, inside.expand(len(flat), -1, -1)], 1))
        if early < len(self.blocks) - 1:
            rows = torch.cat([torch.cat([rows[:, [view]], rows[:, views:]], 1) for view in range(views)])
            mask = torch.cat([torch.cat([torch.ones_like(has[:, :1, :1]), each], 2) for each in has.split(1, 1)])
            for block in self.blocks[early:-1]:
                rows = block(rows, mask)
        return rows, mask
