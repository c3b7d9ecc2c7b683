"""Linear maps of blocks of columns, for several members at once."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from gdsfd.ops.traced import is_traced

__all__ = ["block_linear"]


def block_linear(values: Tensor, weight: Tensor, bias: Tensor, ends: Sequence[int]) -> Tensor:
    r"""Maps each of K blocks of columns by a map of its own, for each of M members; differentiable once.

    .. math:: t_{mkb} = x_{bk} W_{km} + b_{mk}

    Blocks may be of any width: there are as many products as blocks, each for all members side by side, without padding
    and without copies of what they read.

    Args:
        values: Inputs of all blocks side by side, float [B, F]. They get no gradient.
        weight: Weights of all blocks below one another, [F, M, C].
        bias: [M, K, C].
        ends: Where the blocks begin and end: block ``k`` is the columns ``ends[k]:ends[k + 1]``.

    Returns:
        [M, K, B, C].

    Example:
        >>> weight = torch.tensor([[[1.0]], [[2.0]], [[3.0]]])
        >>> block_linear(torch.tensor([[1.0, 1.0, 10.0]]), weight, torch.zeros(1, 2, 1), [0, 2, 3]).flatten().tolist()
        [3.0, 30.0]
    """
    result: Tensor = _BlockLinear.apply(values, weight, bias, tuple(ends))
    return result


class _BlockLinear(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor, weight: Tensor, bias: Tensor, ends: tuple[int, ...]) -> Tensor:
        members, blocks, channels = bias.shape
        side_by_side = weight.view(weight.size(0), -1)
        out = values.new_empty(members, blocks, values.size(0), channels)
        for number, (first, last) in enumerate(pairwise(ends)):
            product = torch.addmm(bias[:, number].reshape(-1), values[:, first:last], side_by_side[first:last])
            out[:, number] = product.view(-1, members, channels).transpose(0, 1)
        ctx.save_for_backward(values)
        ctx.ends = ends
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, above: Tensor) -> tuple[Tensor | None, ...]:
        (values,) = ctx.saved_tensors
        members, _, _, channels = above.shape
        found = values.new_empty(values.size(1), members * channels)
        for number, (first, last) in enumerate(pairwise(ctx.ends)):
            mine = above[:, number].transpose(0, 1).reshape(-1, members * channels)
            if is_traced():
                found[first:last] = values[:, first:last].t() @ mine
            else:
                torch.mm(values[:, first:last].t(), mine, out=found[first:last])
        return None, found.view(-1, members, channels), above.sum(2), None
