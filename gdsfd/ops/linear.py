"""Matrix products of many rows with a small square matrix, by the fastest kernel there is for them."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

__all__ = ["filled", "linear", "plain_float", "rows_by", "weight_gradient"]

# Rows per product where a weight's gradient is added up: the kernel transposes both factors, here in cache.
_ROWS = 2048
# oneDNN makes machine code for every shape it has not seen lately, which takes 0.5 ms: three times the product of a
# thousand rows. The batches of a training step hardly ever have as many edges twice, so rows are filled up to a
# multiple of this; from _MANY on the product is what takes the time.
_MULTIPLE = 64
_MANY = 8192
_FEW = 16  # rows up to which oneDNN's preparations cost more than it saves


@cache
def _pointwise() -> Callable[..., Tensor] | None:
    """oneDNN's linear kernel, None where torch has none or it is wrong.

    torch's float32 ``mm`` goes to MKL, which does not use AVX-512 on AMD processors; oneDNN does, and ships in the same
    torch. On an EPYC (Zen 5) [60000, 128] x [128, 128] takes 9 ms with it and 23 ms with ``mm``, one thread.
    """
    try:
        kernel: Callable[..., Tensor] = torch.ops.mkldnn._linear_pointwise
        rows = torch.arange(12.0).view(4, 3) - 5
        weight = torch.arange(6.0).view(2, 3)
        got = kernel(rows, weight, torch.ones(2), "none", [], "")
        return kernel if torch.equal(got, rows @ weight.t() + 1) else None
    except (AttributeError, RuntimeError, TypeError):
        return None


def plain_float(*tensors: Tensor | None) -> bool:
    """Whether all are float32 or float64 on the CPU and autocast would leave them so: what the fused code is for."""
    return not torch.is_autocast_enabled("cpu") and all(
        tensor is None or (tensor.device.type == "cpu" and tensor.dtype in (torch.float32, torch.float64))
        for tensor in tensors
    )


def rows_by(rows: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """``rows @ weight.T + bias``, not differentiable.

    Args:
        rows: [E, in].
        weight: [out, in], itself or its transpose contiguous: part of a wider matrix takes a hundred times as long.
        bias: [out].
    """
    kernel = _pointwise() if rows.dtype == torch.float32 and rows.size(0) > _FEW else None
    if kernel is None:
        return F.linear(rows, weight, bias)
    whole = filled(rows)
    if whole is rows:
        return kernel(rows, weight, bias, "none", [], "")
    return kernel(whole, weight, bias, "none", [], "")[: rows.size(0)]


def filled(rows: Tensor) -> Tensor:
    """The rows and zeros after them, up to a number of rows that comes again; the rows themselves where it does.

    Args:
        rows: [E, C].
    """
    count = rows.size(0)
    if count % _MULTIPLE == 0 or count >= _MANY or count < _MULTIPLE or rows.dtype != torch.float32:
        return rows
    whole = rows.new_empty(count + -count % _MULTIPLE, rows.size(1))
    whole[:count] = rows
    whole[count:].zero_()
    return whole


def weight_gradient(gradient: Tensor, rows: Tensor, total: Tensor | None = None) -> Tensor:
    """``gradient.T @ rows``, added to ``total`` in place where that is given; not differentiable.

    Args:
        gradient: [E, out].
        rows: [E, in].
        total: [out, in].
    """
    if rows.dtype != torch.float32 or rows.size(0) <= _FEW:
        return gradient.t() @ rows if total is None else total.addmm_(gradient.t(), rows)
    for start in range(0, rows.size(0), _ROWS):
        part = rows_by(*(filled(each[start : start + _ROWS]).t() for each in (gradient, rows)))
        total = part if total is None else total.add_(part)
    assert total is not None
    return total


class _Linear(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, rows: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        ctx.save_for_backward(rows, weight)
        return rows_by(rows, weight, bias)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        rows, weight = ctx.saved_tensors
        of_rows = rows_by(gradient, weight.t()) if ctx.needs_input_grad[0] else None
        of_weight = weight_gradient(gradient, rows) if ctx.needs_input_grad[1] else None
        return of_rows, of_weight, gradient.sum(0) if ctx.needs_input_grad[2] else None


def linear(rows: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """``rows @ weight.T + bias`` as :func:`torch.nn.functional.linear`, differentiable once where it is faster.

    Args:
        rows: [E, in].
        weight: [out, in].
        bias: [out].
    """
    if rows.dtype != torch.float32 or rows.size(0) < 2 or not plain_float(rows, weight, bias) or _pointwise() is None:
        return F.linear(rows, weight, bias)
    result: Tensor = _Linear.apply(rows, weight, bias)
    return result
