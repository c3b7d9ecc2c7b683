"""A hidden layer on every pair of a patient and a centre."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from gdsfd.ops.dropout import plain_float

__all__ = ["pair_layer"]


def pair_layer(of_code: Tensor, of_center: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    r""":math:`V \operatorname{relu}(a_b + e_s) + v` for every pair.

    Args:
        of_code: The patients' part of the hidden layer a, [B, H].
        of_center: The centres' part e, [S, H], or [B, T, H] where every patient has centres of its own.
        weight: V, [o, H].
        bias: v, [o].

    Returns:
        [B, S or T, o].

    Example:
        >>> pair_layer(torch.ones(1, 2), torch.tensor([[0.0, -3.0], [1.0, 1.0]]), torch.ones(1, 2), torch.zeros(1))
        tensor([[[1.],
                 [4.]]])
    """
    if of_center.dim() == 2 and plain_float(of_code, of_center, weight, bias):
        result: Tensor = _PairLayer.apply(of_code, of_center, weight) + bias
        return result
    return F.linear((of_code.unsqueeze(1) + of_center).relu_(), weight, bias)


class _PairLayer(torch.autograd.Function):
    """Keeps nothing of the size of all pairs for the way back, and writes it once there instead of five times.

    Whether a hidden unit is on is all the gradient needs, and that is a comparison of the two parts. With ``on`` of
    shape [B, S, H] and the gradient ``g`` above, [B, S, o], the sums ``sum_s g on`` and ``sum_b g on`` give all three
    gradients; the weight's follows from both, as relu(a + e) = on (a + e).
    """

    @staticmethod
    def forward(ctx: Any, of_code: Tensor, of_center: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(of_code, of_center, weight)
        return F.linear((of_code.unsqueeze(1) + of_center).relu_(), weight)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, above: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        of_code, of_center, weight = ctx.saved_tensors
        on = of_code.new_empty(of_code.size(0), *of_center.shape)  # [B, S, H]
        torch.gt(of_code.unsqueeze(1), -of_center, out=on)  # 1 or 0 in the right type: no pass over booleans
        by_patient = above.transpose(1, 2) @ on  # [B, o, H]
        by_center = above.permute(1, 2, 0) @ on.transpose(0, 1)  # [S, o, H]
        return (
            (by_patient * weight).sum(1),
            (by_center * weight).sum(1),
            (by_patient * of_code.unsqueeze(1)).sum(0) + (by_center * of_center.unsqueeze(1)).sum(0),
        )
