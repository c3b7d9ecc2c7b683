"""A hidden layer on every pair of a patient and a centre."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional as F

__all__ = ["pair_layer"]


def pair_layer(of_code: Tensor, of_center: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    r""":math:`V \operatorname{relu}(a_b + e_s) + v` for every pair.

    Args:
        of_code: The patients' part of the hidden layer a, [B, H].
        of_center: The centres' part e, [S, H] or [B, T, H].
        weight: V, [o, H].
        bias: v, [o].

    Returns:
        [B, S or T, o].
    """
    return F.linear((of_code.unsqueeze(1) + of_center).relu_(), weight, bias)
