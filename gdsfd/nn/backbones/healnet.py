"""healnet: a small set of latent vectors reads one modality after the other."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gdsfd.nn.backbones.card import Card
from gdsfd.nn.backbones.fusion_backbone import Fused, FusionBackbone
from gdsfd.nn.backbones.registry import register_backbone
from gdsfd.nn.dropout import Dropout
from gdsfd.nn.fusion.attention import Attention
from gdsfd.nn.fusion.row_linear import RowLinear
from gdsfd.nn.fusion.token_expander import TokenExpander, narrow_width
from gdsfd.setting_checks import Number, Whole

__all__ = ["HealnetBackbone"]


class GatedFeedForward(nn.Module):
    r"""``LN``, then :math:`W (a \odot \mathrm{SELU}(g))` with :math:`[a; g] = V x`.

    Args:
        channels: Width d.
        dropout: Dropout probability, of the output.
        expansion: Width of its hidden layer over d.
    """

    def __init__(self, channels: int, dropout: float, expansion: int) -> None:
        super().__init__()
        inner = expansion * channels
        self.norm = nn.LayerNorm(channels, elementwise_affine=False)
        self.into, self.out = RowLinear(channels, 2 * inner), RowLinear(inner, channels)
        self.drop = Dropout(dropout)

    def forward(self, input: Tensor) -> Tensor:
        """The branch, without its input."""
        value, gate = self.into(self.norm(input)).chunk(2, dim=-1)
        found: Tensor = self.drop(self.out(value * F.selu(gate)))
        return found


class LatentReader(nn.Module):
    """One layer: for each modality cross-attention, feed-forward, self-attention, feed-forward.

    Args:
        channels: Width d.
        num_modalities: Number of modalities K.
        heads: Most attention heads.
        dropout: Dropout probability.
        expansion: Width of the feed-forward networks' hidden layers over d.
    """

    def __init__(self, channels: int, num_modalities: int, heads: int, dropout: float, expansion: int) -> None:
        super().__init__()
        self.cross = nn.ModuleList(Attention(channels, heads, sharpness=2.0) for _ in range(num_modalities))
        self.itself = Attention(channels, heads, sharpness=2.0)
        self.norms = nn.ModuleList(nn.LayerNorm(channels, elementwise_affine=False) for _ in range(2))
        self.feeds = nn.ModuleList(GatedFeedForward(channels, dropout, expansion) for _ in range(2))

    def forward(self, latent: Tensor, tokens: Tensor, number: int) -> Tensor:
        """The latents [B, L, d] after they have read the tokens [B, P, d] of modality ``number``."""
        latent = latent + F.leaky_relu(self.cross[number](self.norms[0](latent), tokens))
        latent = latent + self.feeds[0](latent)
        normed = self.norms[1](latent)
        latent = latent + F.leaky_relu(self.itself(normed, normed))
        found: Tensor = latent + self.feeds[1](latent)
        return found


@register_backbone("healnet")
class HealnetBackbone(FusionBackbone):
    r"""Latent vectors that read what a patient has, one modality after the other in the order of the spec.

    With latents :math:`X \in R^{L \times d}`, for each layer, for each k that patient i has:

    .. math::
        X \leftarrow X + \phi(CA_k(LN X, T_{ik})), \; X \leftarrow X + FF(X), \;
        X \leftarrow X + \phi(SA(LN X)), \; X \leftarrow X + FF'(X)

    and :math:`p_i = LN(\operatorname{mean} X)`, in width d, with leaky ReLU :math:`\phi`, softmax at temperature 1/2
    and gated SELU feed-forward. Where k is absent all four are passed over.

    Args:
        channels: Width d.
        num_modalities: Number of modalities K.
        dropout: Dropout probability.
        edge_drop: Probability of hiding an observation in training.
        layers: Passes over the modalities.
        latents: Number of latent vectors L.
        heads: Most attention heads.
        tokens_per_modality: Sub-tokens P of each modality; with 1 cross-attention reads the same for every latent.
        width: Width w of latents and sub-tokens; 0 is a quarter of d (:func:`~gdsfd.nn.fusion.narrow_width`).
        expansion: Width of the feed-forward networks' hidden layers over w.
        tied: Whether all layers have the same weights.

    Shapes:
        - tokens: [E, d]; pooled: [B, d]

    References:
        [code] HEALNet (Hemker et al., NeurIPS 2024). [ours] absence per patient; feed-forward and self-attention are
        shared by the modalities of a layer; one narrow layer of 4 latents and 2 heads (the original: three of 128 and
        8), feed-forward networks no wider than it: what goes on one modality after the other is no single product, and
        a step costs nearly four of ``muse`` even so. Lost: early fusion of raw inputs, which is its point.
    """

    card = Card("Hemker et al., NeurIPS 2024", "code", "its four updates are passed over", "early fusion of raw inputs")

    def __init__(
        self,
        channels: int,
        num_modalities: int,
        dropout: float = 0.25,
        edge_drop: Annotated[float, Number(0, 1, below=True)] = 0.15,
        layers: Annotated[int, Whole(1, 16)] = 1,
        latents: Annotated[int, Whole(1, 1024)] = 4,
        heads: Annotated[int, Whole(1, 64)] = 2,
        tokens_per_modality: Annotated[int, Whole(1, 64)] = 2,
        width: Annotated[int, Whole(0, 4096)] = 0,
        expansion: Annotated[int, Whole(1, 16)] = 1,
        tied: bool = False,
    ) -> None:
        super().__init__(channels, num_modalities, dropout, edge_drop)
        self.times = layers if tied else 1
        width = narrow_width(channels, width)
        self.expander = TokenExpander(num_modalities, channels, tokens_per_modality, width)
        self.latent = nn.Parameter(torch.randn(latents, width) / width**0.5)
        self.readers = nn.ModuleList(
            LatentReader(width, num_modalities, heads, dropout, expansion) for _ in range(1 if tied else layers)
        )
        self.norm = nn.LayerNorm(width)
        self.out = nn.Linear(width, channels) if width != channels else nn.Identity()

    def fuse(self, grid: Tensor, there: Tensor, y: Tensor | None) -> Fused:
        """Embeds patients; see :class:`FusionBackbone`."""
        sub, latent = self.expander(grid), self.latent.expand(len(grid), -1, -1)
        for reader in list(self.readers) * self.times:
            for number in range(self.num_modalities):
                has = there[:, number].reshape(-1, 1, 1) > 0
                latent = torch.where(has, reader(latent, sub[:, number], number), latent)
        return Fused(self.out(self.norm(latent.mean(1))))
