"""New node values from the messages' totals and the old values."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from gdsfd.errors import InputError
from gdsfd.ops.linear import linear, plain_float, rows_by, weight_gradient

__all__ = ["node_update"]

# Rows per chunk: as in gdsfd.ops.chunks.
_ROWS = 4096


def node_update(
    total: Tensor, norm: Tensor, node: Tensor, message_weight: Tensor, node_weight: Tensor, bias: Tensor
) -> Tensor:
    """``ReLU(total / norm @ message_weight.T + node @ node_weight.T + bias)``; the mean is 0 where ``norm`` is 0.

    Args:
        total: Sum of the messages of each node, [N, C].
        norm: What it is divided by, [N, 1] or [N, C].
        node: Old values, [N, C], or [1, C] = the same for all.
        message_weight: [out, C].
        node_weight: [out, C].
        bias: [out].

    Returns:
        [N, out].

    Raises:
        InputError: Shapes that do not fit.
    """
    rows, channels = total.shape
    if node.shape not in ((rows, channels), (1, channels)) or norm.shape not in ((rows, channels), (rows, 1)):
        raise InputError(
            f"node_update: total has shape {[rows, channels]}, node {list(node.shape)}, norm {list(norm.shape)}; "
            f"expected node [{rows}, {channels}] or [1, {channels}] and norm [{rows}, {channels}] or [{rows}, 1]"
        )
    norm = norm.to(total.dtype)
    weights = (message_weight, node_weight, bias)
    if plain_float(total, node, *weights):
        if torch.is_grad_enabled() and any(one.requires_grad for one in (total, norm, node, *weights)):
            result: Tensor = _NodeUpdate.apply(total, norm, node, *weights)
            return result
        return _forward(total, _scale(norm), node, *weights, None)
    return torch.relu(linear(total * _scale(norm), message_weight, bias) + linear(node, node_weight))


def _scale(norm: Tensor) -> Tensor:
    """What sums are multiplied by; 0 where there is nothing to divide by."""
    empty = norm == 0
    return norm.masked_fill(empty, 1).reciprocal().masked_fill(empty, 0)


def _forward(
    total: Tensor,
    scale: Tensor,
    node: Tensor,
    message_weight: Tensor,
    node_weight: Tensor,
    bias: Tensor,
    mean: Tensor | None,
) -> Tensor:
    """The new values; the means go to ``mean`` where that is given."""
    out = total.new_empty(total.size(0), bias.size(0))
    common = rows_by(node, node_weight) if node.size(0) == 1 else None
    for start in range(0, total.size(0), _ROWS):
        rows = slice(start, start + _ROWS)
        share = torch.mul(total[rows], scale[rows], out=None if mean is None else mean[rows])
        term = rows_by(share, message_weight, bias)
        term += rows_by(node[rows], node_weight) if common is None else common
        torch.clamp(term, min=0, out=out[rows])
    return out


class _NodeUpdate(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        total: Tensor,
        norm: Tensor,
        node: Tensor,
        message_weight: Tensor,
        node_weight: Tensor,
        bias: Tensor,
    ) -> Tensor:
        mean, scale = total.new_empty(total.shape), _scale(norm)
        out = _forward(total, scale, node, message_weight, node_weight, bias, mean)
        ctx.save_for_backward(mean, scale, node, message_weight, node_weight, out)
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, above: Tensor) -> tuple[Tensor | None, ...]:
        mean, scale, node, message_weight, node_weight, out = ctx.saved_tensors
        wants = ctx.needs_input_grad
        of_total = torch.empty_like(mean) if wants[0] else None
        of_norm = torch.empty_like(scale) if wants[1] else None
        of_node = torch.zeros_like(node, memory_format=torch.contiguous_format) if wants[2] else None
        of_message, of_weight = torch.zeros_like(message_weight), torch.zeros_like(node_weight)
        of_bias = out.new_zeros(out.size(1))
        turned, turned_node = message_weight.t(), node_weight.t()
        for start in range(0, mean.size(0), _ROWS):
            rows = slice(start, start + _ROWS)
            passed = torch.ops.aten.threshold_backward(above[rows], out[rows], 0)
            of_bias += passed.sum(0)
            weight_gradient(passed, mean[rows], of_message)
            if of_total is not None or of_norm is not None:
                of_sum = rows_by(passed, turned).mul_(scale[rows])
                if of_norm is not None:  # by way of the mean: the square of a small norm is no number
                    moved = of_sum * mean[rows]
                    of_norm[rows] = -(moved.sum(1, keepdim=True) if scale.size(1) == 1 else moved)
                if of_total is not None:
                    of_total[rows] = of_sum
            if node.size(0) > 1:
                weight_gradient(passed, node[rows], of_weight)
                if of_node is not None:
                    of_node[rows] = rows_by(passed, turned_node)
        if node.size(0) == 1:  # one row for all: its term's gradient is the bias's
            of_weight.addmm_(of_bias.unsqueeze(1), node)
            of_node = rows_by(of_bias.unsqueeze(0), turned_node) if wants[2] else None
        return of_total, of_norm, of_node, of_message, of_weight, of_bias
