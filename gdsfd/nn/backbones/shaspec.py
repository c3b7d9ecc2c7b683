"""shaspec: what modalities share and what each has of its own; the shared part stands in for the absent."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gdsfd.nn.backbones.card import Card
from gdsfd.nn.backbones.fusion_backbone import Fused, FusionBackbone
from gdsfd.nn.backbones.registry import register_backbone
from gdsfd.nn.dropout import Dropout
from gdsfd.nn.fusion.masked import masked_mean
from gdsfd.nn.fusion.modality_linear import ModalityLinear
from gdsfd.nn.fusion.row_linear import RowLinear
from gdsfd.setting_checks import Number

__all__ = ["ShaspecBackbone"]


@register_backbone("shaspec")
class ShaspecBackbone(FusionBackbone):
    r"""Shared and specific codes.

    .. math::
        s_k &= S(t_k + e_k), \qquad q_k = Q_k(t_k) \\
        r_k &= s_k + W [s_k; q_k] \text{ (present)}, \quad r_k = \operatorname{mean}^m_j s_j \text{ (absent)} \\
        h &= \tfrac1K \textstyle\sum_k r_k, \qquad p = h + V_2 \, \mathrm{gelu}(V_1 h) \\
        L &= \ell + a \operatorname{mean}_{k < l \text{ present}} |s_k - s_l|_1 + b \, CE(D q_k, k)

    with one network S for all modalities and the L1 norm as a mean over channels. The domain loss is the specific
    codes' alone: on the shared ones it would pull apart what the alignment pulls together.

    Args:
        channels: Width d.
        num_modalities: Number of modalities K.
        dropout: Dropout probability.
        edge_drop: Probability of hiding an observation in training.
        alignment: Weight a of the distance between shared codes.
        domain: Weight b of telling modalities from their specific codes.

    Shapes:
        - tokens: [E, d]; pooled: [B, d]

    References:
        [code] ShaSpec (Wang et al., CVPR 2023). [ours] the average in place of the first available code (as the paper
        has it), losses on present modalities alone, all pairs, and the residual network on the mean, without which the
        fusion is additive. Lost: dense decoder, skip connections.
    """

    card = Card(
        "Wang et al., CVPR 2023", "code", "the mean of the others' shared codes", "dense decoder, skip connections"
    )

    def __init__(
        self,
        channels: int,
        num_modalities: int,
        dropout: float = 0.25,
        edge_drop: Annotated[float, Number(0, 1, below=True)] = 0.15,
        alignment: Annotated[float, Number(0, 1000)] = 0.1,
        domain: Annotated[float, Number(0, 1000)] = 0.02,
    ) -> None:
        super().__init__(channels, num_modalities, dropout, edge_drop)
        self.alignment, self.domain = alignment, domain
        self.kind = nn.Parameter(torch.randn(num_modalities, channels) / channels**0.5)
        self.shared = nn.Sequential(RowLinear(channels, channels), nn.GELU(), RowLinear(channels, channels))
        self.specific = nn.Sequential(
            ModalityLinear(num_modalities, channels, channels),
            nn.GELU(),
            ModalityLinear(num_modalities, channels, channels),
        )
        self.join = RowLinear(2 * channels, channels)
        self.teller = RowLinear(channels, num_modalities) if domain else None
        self.residual = nn.Sequential(
            nn.Linear(channels, channels), nn.GELU(), Dropout(dropout), nn.Linear(channels, channels)
        )

    def fuse(self, grid: Tensor, there: Tensor, y: Tensor | None) -> Fused:
        """Embeds patients; see :class:`FusionBackbone`."""
        shared, specific = self.shared(grid + self.kind), self.specific(grid)
        present = shared + self.join(torch.cat([shared, specific], -1))
        stand_in = masked_mean(shared, there).unsqueeze(1)
        code = torch.where(there.unsqueeze(2) > 0, present, stand_in).mean(1)
        loss = self.own_loss(shared, specific, there) if self.training else None
        return Fused(code + self.residual(code), aux_loss=loss)

    def own_loss(self, shared: Tensor, specific: Tensor, there: Tensor) -> Tensor | None:
        """The alignment of shared codes and the domain loss of specific ones, both [B, K, d]; None with weights 0."""
        losses = []
        if self.alignment:
            apart = (shared.unsqueeze(1) - shared.unsqueeze(2)).abs().mean(-1)  # [B, K, K]
            pairs = (there.unsqueeze(1) * there.unsqueeze(2)).triu(1)
            losses.append(self.alignment * (apart * pairs).sum() / pairs.sum().clamp(min=1))
        if self.teller is not None:
            number = torch.arange(self.num_modalities, device=there.device)
            told = self.teller(specific).transpose(1, 2)
            each = F.cross_entropy(told, number.expand(len(there), -1), reduction="none")
            losses.append(self.domain * (each * there).sum() / there.sum().clamp(min=1))
        return torch.stack(losses).sum() if losses else None
