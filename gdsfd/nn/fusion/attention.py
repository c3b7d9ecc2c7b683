"""Attention with masked keys, with one set of weights or one per modality."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from gdsfd.nn.dropout import Dropout
from gdsfd.nn.fusion.masked import masked_softmax
from gdsfd.nn.fusion.modality_linear import ModalityLinear
from gdsfd.nn.fusion.row_linear import RowLinear

__all__ = ["Attention", "TransformerBlock", "together"]

#: Makes a linear map of these widths, with or without bias: :class:`RowLinear`, or one per modality.
MakeLinear = Callable[[int, int, bool], RowLinear | ModalityLinear]


def together(maps: Sequence[RowLinear | ModalityLinear], input: Tensor) -> list[Tensor]:
    """What several linear maps of one kind make of the same input, in one product."""
    weight = torch.cat([each.weight for each in maps], -2)
    biases = [each.weight.new_zeros(each.weight.shape[:-1]) if each.bias is None else each.bias for each in maps]
    found = maps[0].mapped(input, weight, torch.cat(biases, -1))
    return list(found.split([each.weight.size(-2) for each in maps], -1))


class Attention(nn.Module):
    r"""Scaled dot-product attention of several heads.

    .. math:: \mathrm{out} = W_o \big[\mathrm{softmax}_j(\beta\, q_i^h \cdot k_j^h / \sqrt{d_h})\, v_j^h\big]_h

    A query none of whose keys is let through gets :math:`W_o 0`, the output's bias.

    Args:
        channels: Width d.
        heads: Most heads; the largest number is taken that divides d and this.
        linear: Makes the maps of queries, keys, values and output.
        sharpness: The factor beta, 1 over the softmax's temperature.

    Shapes:
        - query: [..., S, d]; keys: [..., T, d]; mask: bool, broadcast to [..., S, T], or None: all keys are read;
          output: [..., S, d]
    """

    def __init__(self, channels: int, heads: int = 4, linear: MakeLinear = RowLinear, sharpness: float = 1.0) -> None:
        super().__init__()
        self.heads = math.gcd(channels, heads)
        self.scale = sharpness * (channels // self.heads) ** -0.5
        self.query, self.value, self.out = (linear(channels, channels, True) for _ in range(3))
        self.key = linear(channels, channels, False)  # one would add the same to all of a query's scores

    def forward(self, query: Tensor, keys: Tensor, mask: Tensor | None = None) -> Tensor:
        """What each query reads of the keys."""
        asked, key, value = (self._split(each) for each in self.maps(query, keys))
        scores = asked * self.scale @ key.transpose(-1, -2)
        weight = masked_softmax(scores, None if mask is None else mask.unsqueeze(-3))
        found: Tensor = self.out((weight @ value).transpose(-2, -3).flatten(-2))
        return found

    def maps(self, query: Tensor, keys: Tensor) -> list[Tensor]:
        """Queries, keys and values."""
        if query is keys:
            return together([self.query, self.key, self.value], query)
        return [self.query(query), *together([self.key, self.value], keys)]

    def _split(self, values: Tensor) -> Tensor:
        """[..., S, d] to [..., heads, S, d / heads]."""
        return values.unflatten(-1, (self.heads, -1)).transpose(-2, -3)


class TransformerBlock(nn.Module):
    r"""A pre-norm block: :math:`x += \mathrm{Att}(LN\,x)`, then :math:`x += \mathrm{FFN}(LN\,x)`.

    Args:
        channels: Width d.
        heads: Most heads.
        dropout: Dropout probability on both branches.
        linear: Makes every linear map; see :class:`Attention`.
        expansion: Width of the feed-forward network over d; 0 leaves it out.

    Shapes:
        - input: [..., S, d]; output: [..., rows, d]
        - mask: bool, broadcast to [..., rows, S], True where a row may read a column, or None: all are read
    """

    def __init__(
        self,
        channels: int,
        heads: int = 4,
        dropout: float = 0.0,
        linear: MakeLinear = RowLinear,
        expansion: int = 2,
    ) -> None:
        super().__init__()
        # Norms have no weights of their own: the linear maps that follow have them.
        self.norm = nn.LayerNorm(channels, elementwise_affine=False)
        self.attention = Attention(channels, heads, linear)
        self.dropout = Dropout(dropout)
        self.feed = (
            nn.Sequential(
                nn.LayerNorm(channels, elementwise_affine=False),
                linear(channels, expansion * channels, True),
                nn.GELU(),
                linear(expansion * channels, channels, True),
                Dropout(dropout),
            )
            if expansion
            else None
        )

    def forward(self, input: Tensor, mask: Tensor | None = None, rows: slice = slice(None)) -> Tensor:
        """The block's output, of some rows only where nothing else of it is read: they read all the same."""
        normed = asking = self.norm(input)
        if rows != slice(None):
            input, asking = input[..., rows, :], normed[..., rows, :]
        found: Tensor = input + self.dropout(self.attention(asking, normed, mask))
        return found if self.feed is None else found + self.feed(found)
