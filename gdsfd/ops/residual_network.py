"""A small network added to its input, as one step of the gradient."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from gdsfd.ops.dropout import dropout, kept
from gdsfd.ops.linear import filled, linear, plain_float, rows_by, weight_gradient

__all__ = ["residual_network"]


def residual_network(
    values: Tensor,
    inner_weight: Tensor,
    inner_bias: Tensor,
    outer_weight: Tensor,
    outer_bias: Tensor,
    probability: float = 0.0,
    training: bool = False,
) -> Tensor:
    r"""``v + outer(drop(GELU(inner(v))))`` with ``v = drop(values)``.

    On the CPU one function of autograd, which works in place: on a batch of some hundred rows the calls between the
    products cost as much as the products.

    Args:
        values: [N, C].
        inner_weight: [H, C].
        inner_bias: [H].
        outer_weight: [C, H].
        outer_bias: [C].
        probability: Of zeroing a number, in both dropouts.
        training: Otherwise nothing is dropped.

    Returns:
        [N, C]; differentiable once on the CPU.
    """
    weights = (inner_weight, inner_bias, outer_weight, outer_bias)
    probability = probability if training else 0.0
    recorded = torch.is_grad_enabled() and any(each.requires_grad for each in (values, *weights))
    if recorded and probability < 1 and values.size(0) > 1 and plain_float(values, *weights):
        result: Tensor = _Residual.apply(values, *weights, probability)
        return result
    values = dropout(values, probability, training)
    hidden = dropout(F.gelu(linear(values, inner_weight, inner_bias)), probability, training)
    return values + linear(hidden, outer_weight, outer_bias)


class _Residual(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        values: Tensor,
        inner_weight: Tensor,
        inner_bias: Tensor,
        outer_weight: Tensor,
        outer_bias: Tensor,
        probability: float,
    ) -> Tensor:
        first = second = None
        count = values.size(0)
        if probability:
            first = kept(values, probability)
            values = values * first
        values = filled(values)  # once for all products
        before = rows_by(values, inner_weight, inner_bias)
        hidden = F.gelu(before)
        if probability:
            second = kept(hidden[:count], probability)
            hidden[:count] *= second
        ctx.save_for_backward(values, before, hidden, first, second, inner_weight, outer_weight)
        return rows_by(hidden, outer_weight, outer_bias)[:count].add_(values[:count])

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, above: Tensor) -> tuple[Tensor | None, ...]:
        values, before, hidden, first, second, inner_weight, outer_weight = ctx.saved_tensors
        wants = ctx.needs_input_grad
        count, above = above.size(0), filled(above)
        of_outer = weight_gradient(above, hidden) if wants[3] else None
        of_hidden = rows_by(above, outer_weight.t())
        if second is not None:
            of_hidden[:count] *= second
        of_before = torch.ops.aten.gelu_backward(of_hidden, before)
        of_inner = weight_gradient(of_before, values) if wants[1] else None
        of_values = None
        if wants[0]:
            of_values = rows_by(of_before, inner_weight.t()).add_(above)[:count]
            if first is not None:
                of_values *= first
        biases = [each.sum(0) if wanted else None for each, wanted in ((of_before, wants[2]), (above, wants[4]))]
        return of_values, of_inner, biases[0], of_outer, biases[1], None
