"""crossmodal: each modality's tokens read themselves, then those of every other modality."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import torch
from torch import Tensor, nn

from gdsfd.nn.backbones.card import Card
from gdsfd.nn.backbones.fusion_backbone import Fused, FusionBackbone
from gdsfd.nn.backbones.registry import register_backbone
from gdsfd.nn.dropout import Dropout
from gdsfd.nn.fusion.attention import Attention
from gdsfd.nn.fusion.modality_linear import ModalityLinear
from gdsfd.nn.fusion.token_expander import TokenExpander, narrow_width
from gdsfd.setting_checks import Number, Whole

__all__ = ["CrossmodalBackbone"]


class CrossmodalLayer(nn.Module):
    """One layer of the fusion, with weights of its own for every modality.

    Args:
        channels: Width d.
        num_modalities: Number of modalities K.
        heads: Most attention heads.
        dropout: Dropout probability on the branches.
        expansion: Width of the feed-forward networks' hidden layers over d.
    """

    def __init__(self, channels: int, num_modalities: int, heads: int, dropout: float, expansion: int) -> None:
        super().__init__()
        linear = partial(ModalityLinear, num_modalities, first=True)
        self.norms = nn.ModuleList(nn.LayerNorm(channels, elementwise_affine=False) for _ in range(3))
        self.itself, self.others = Attention(channels, heads, linear), Attention(channels, heads, linear)
        self.feed = nn.Sequential(
            linear(channels, expansion * channels), nn.GELU(), linear(expansion * channels, channels)
        )
        self.drop = Dropout(dropout)

    def forward(self, tokens: Tensor, there: Tensor) -> Tensor:
        """Tokens [K, B, P, d] after one layer; ``there`` is 1 where a patient has a modality, [B, K]."""
        normed = self.norms[0](tokens)
        tokens = tokens + self.drop(self.itself(normed, normed))
        tokens = tokens + self.drop(self.read_others(self.norms[1](tokens), there))
        found: Tensor = tokens + self.drop(self.feed(self.norms[2](tokens)))
        return found

    def read_others(self, tokens: Tensor, there: Tensor) -> Tensor:
        """Mean over the other present modalities of what each target reads of them, 0 without any; [K, B, P, d]."""
        (k, _, p, _), heads = tokens.shape, self.others.heads

        def split(values: Tensor) -> Tensor:
            """[K, B, P, d] to [B, heads, K P, d / heads]."""
            return values.unflatten(-1, (heads, -1)).permute(1, 3, 0, 2, 4).flatten(2, 3)

        query, key, value = (split(each) for each in self.others.maps(tokens, tokens))
        scores = query * self.others.scale @ key.transpose(2, 3)
        other = there.unsqueeze(2) * there.unsqueeze(1) * (1 - torch.eye(k, dtype=there.dtype, device=there.device))
        share = other / other.sum(2, keepdim=True).clamp(min=1)  # [B, target, source]
        weight = scores.unflatten(3, (k, p)).softmax(4).unflatten(2, (k, p)) * share[:, None, :, None, :, None]
        read = weight.flatten(4).flatten(2, 3) @ value  # [B, heads, K P, d / heads]
        found: Tensor = self.others.out(read.unflatten(2, (k, p)).permute(2, 0, 3, 1, 4).flatten(3))
        return found * (share.sum(2) > 0).t().unsqueeze(2).unsqueeze(3)


@register_backbone("crossmodal")
class CrossmodalBackbone(FusionBackbone):
    r"""Self-attention, cross-attention between modalities, feed-forward.

    .. math::
        T_k \leftarrow T_k + SA_k(T_k), \quad
        T_k \leftarrow T_k + \operatorname{mean}^m_{l \ne k} CA_k(T_k \leftarrow T_l), \quad
        T_k \leftarrow T_k + FFN_k(T_k)

    each on normed inputs; then :math:`h = W [m \odot \operatorname{mean}_P T; m] + b` and
    :math:`p = h + V_2 \, \mathrm{relu}(V_1 h)`. In the cross-attention queries and output are mapped by the target's
    weights, keys and values by the source's, and what a target reads is averaged over the sources: K sets of weights,
    not :math:`K^2`, and no token is mapped twice. Of two modalities these are the original's.

    Args:
        channels: Width d.
        num_modalities: Number of modalities K.
        dropout: Dropout probability.
        edge_drop: Probability of hiding an observation in training.
        layers: Number of layers.
        heads: Most attention heads.
        tokens_per_modality: Sub-tokens P of each modality; with 1 attention is a linear map.
        width: Width w of the layers; 0 is a quarter of d (:func:`~gdsfd.nn.fusion.narrow_width`).
        expansion: Width of the feed-forward networks' hidden layers over w.

    Shapes:
        - tokens: [E, d]; pooled: [B, d]

    References:
        [code] the fusion of UTDE (Zhang et al., ICML 2023), after CareBench's port of it. [ours] K modalities and
        absence; one narrow layer of two heads (the original: one to three of 4 to 8), feed-forward networks no wider
        than it: a step costs less than two of ``muse`` so. Lost: irregular series and sequences of notes (the encoders'
        side of UTDE).
    """

    card = Card(
        "UTDE: Zhang et al., ICML 2023",
        "code",
        "it is no source, and its own tokens are left out of the readout",
        "irregular series and sequences of notes",
    )

    def __init__(
        self,
        channels: int,
        num_modalities: int,
        dropout: float = 0.25,
        edge_drop: Annotated[float, Number(0, 1, below=True)] = 0.15,
        layers: Annotated[int, Whole(1, 16)] = 1,
        heads: Annotated[int, Whole(1, 64)] = 2,
        tokens_per_modality: Annotated[int, Whole(1, 64)] = 2,
        width: Annotated[int, Whole(0, 4096)] = 0,
        expansion: Annotated[int, Whole(1, 16)] = 1,
    ) -> None:
        super().__init__(channels, num_modalities, dropout, edge_drop)
        width = narrow_width(channels, width)
        self.expander = TokenExpander(num_modalities, channels, tokens_per_modality, width)
        self.layers = nn.ModuleList(
            CrossmodalLayer(width, num_modalities, heads, dropout, expansion) for _ in range(layers)
        )
        self.pool = nn.Linear(num_modalities * (width + 1), channels)
        self.residual = nn.Sequential(
            nn.Linear(channels, channels), nn.ReLU(), Dropout(dropout), nn.Linear(channels, channels)
        )

    def fuse(self, grid: Tensor, there: Tensor, y: Tensor | None) -> Fused:
        """Embeds patients; see :class:`FusionBackbone`."""
        tokens = self.expander(grid).transpose(0, 1)
        for layer in self.layers:
            tokens = layer(tokens, there)
        flat = (tokens.mean(2).transpose(0, 1) * there.unsqueeze(2)).flatten(1)
        pooled = self.pool(torch.cat([flat, there], 1))
        return Fused(pooled + self.residual(pooled))
