"""Tokens of all modalities for all members of an ensemble, in a fixed shape."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import accumulate

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gdsfd.nn.encoders.feature_encoder import FeatureEncoder
from gdsfd.ops import dropout
from gdsfd.ops.block_linear import block_linear

__all__ = ["TokenGrid"]


class TokenGrid(nn.Module):
    """The encoders of M members and K modalities as one: a ragged product, then two batched ones.

    Each weight stands here for all members and modalities. The encoders' own parameters can be made views of them
    (:meth:`take_over`), or are copied for a passing use.

    In training whole codes are dropped for all members alike, hidden units for each member by itself.

    Args:
        encoders: For each member its encoders; all of :attr:`FeatureEncoder.in_grid`.

    Shapes:
        - scaled inputs of all modalities side by side [B, F] -> tokens [M, K, B, d]
    """

    def __init__(self, encoders: Sequence[Sequence[FeatureEncoder]]) -> None:
        super().__init__()
        first = encoders[0]
        self.ends = (0, *accumulate(each.token.in_channels for each in first))
        self.dropout = first[0].out.dropout
        dropped = [range(start, start + each.dropped_inputs) for start, each in zip(self.ends, first)]
        columns = [column for some in dropped for column in some]
        self.register_buffer("dropped", torch.tensor(columns, dtype=torch.long), persistent=False)
        with torch.no_grad():
            maps = [torch.cat([each.token.linear.weight.t() for each in member]) for member in encoders]
            self.weight = nn.Parameter(torch.stack(maps, dim=1))  # [F, M, d]
            self.bias = nn.Parameter(_stacked(encoders, lambda each: each.token.linear.bias))
            self.inner = nn.Parameter(_stacked(encoders, lambda each: each.out.inner.weight))
            self.inner_bias = nn.Parameter(_stacked(encoders, lambda each: each.out.inner.bias))
            self.outer = nn.Parameter(_stacked(encoders, lambda each: each.out.outer.weight))
            self.outer_bias = nn.Parameter(_stacked(encoders, lambda each: each.out.outer.bias))

    def take_over(self, encoders: Sequence[Sequence[FeatureEncoder]]) -> None:
        """Makes the encoders' parameters views of the ones here: written or read there, written or read here."""
        for number, member in enumerate(encoders):
            for place, each in enumerate(member):
                first, last = self.ends[place : place + 2]
                each.token.linear.weight.data = self.weight.detach()[first:last, number].t()
                each.token.linear.bias.data = self.bias.detach()[number, place]
                for layer, weight, bias in (
                    (each.out.inner, self.inner, self.inner_bias),
                    (each.out.outer, self.outer, self.outer_bias),
                ):
                    layer.weight.data, layer.bias.data = weight.detach()[number, place], bias.detach()[number, place]

    @property
    def vectors(self) -> list[nn.Parameter]:
        """The biases, which do not decay."""
        return [self.bias, self.inner_bias, self.outer_bias]

    @property
    def matrices(self) -> list[nn.Parameter]:
        """The other weights."""
        return [self.weight, self.inner, self.outer]

    def forward(self, scaled: Tensor) -> Tensor:
        """Tokens of every patient and modality; what stands where a modality is missing has no meaning."""
        tokens = block_linear(self._with_codes_dropped(scaled), self.weight, self.bias, self.ends)
        tokens = dropout(tokens, self.dropout, self.training)
        hidden = F.gelu(_mapped(tokens, self.inner, self.inner_bias))
        return tokens + _mapped(dropout(hidden, self.dropout, self.training), self.outer, self.outer_bias)

    def _with_codes_dropped(self, scaled: Tensor) -> Tensor:
        columns = self.get_buffer("dropped")
        if not self.training or not self.dropout or not columns.numel():
            return scaled
        return scaled.index_copy(1, columns, dropout(scaled.index_select(1, columns), self.dropout, True))


def _mapped(values: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """A linear map for each member and modality; values [M, K, B, d], weight [M, K, d, d], bias [M, K, d]."""
    flat = torch.baddbmm(bias.flatten(0, 1).unsqueeze(1), values.flatten(0, 1), weight.flatten(0, 1).transpose(1, 2))
    return flat.view_as(values)


def _stacked(encoders: Sequence[Sequence[FeatureEncoder]], part: Callable[[FeatureEncoder], Tensor]) -> Tensor:
    return torch.stack([torch.stack([part(each) for each in member]) for member in encoders])
