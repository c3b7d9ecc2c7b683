"""Dropout that draws a quarter of the random numbers of torch's, on the CPU."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from gdsfd.ops.traced import is_traced, random_bits

__all__ = ["dropout", "is_mapped", "kept", "plain_float"]

_STEPS, _FEW_STEPS = 1 << 16, 1 << 8


def plain_float(*tensors: Tensor | None) -> bool:
    """Whether all are float32 or float64 on the CPU and autocast would leave them so."""
    return not torch.is_autocast_enabled("cpu") and all(
        tensor is None or (tensor.device.type == "cpu" and tensor.dtype in (torch.float32, torch.float64))
        for tensor in tensors
    )


def kept(like: Tensor, probability: float) -> Tensor:
    """What dropout multiplies by: 0 with ``probability``, else 1 / (1 - ``probability``).

    torch's ``bernoulli_`` takes 7 ns per number on a CPU, more than everything else that happens to it in a training
    step. Here one draw of 64 bits from the same generator is enough for four numbers; the probability is rounded to a
    multiple of 2^-16, and the scale goes with it. Where it is one of 2^-8, such as the default of 1/4, for eight.

    Args:
        like: Gives the shape and the type.
        probability: In [0, 1).
    """
    numbers = like.numel()
    few = not probability * _FEW_STEPS % 1
    steps, each, kind = (_FEW_STEPS, 8, torch.int8) if few else (_STEPS, 4, torch.int16)
    dropped = min(round(probability * steps), steps - 1)
    words = -(-numbers // each)
    if is_traced():
        drawn = random_bits(words).view(kind)[:numbers].view(like.shape)
        return (drawn >= dropped - steps // 2).to(like.dtype) * (steps / (steps - dropped))
    bits = torch.empty(words, dtype=torch.int64, device=like.device).random_(-(2**63), None)
    # Into the numbers at once: by way of bool it takes four times as long.
    scale = torch.empty(like.shape, dtype=like.dtype, device=like.device)
    torch.ge(bits.view(kind)[:numbers].view(like.shape), dropped - steps // 2, out=scale)
    return scale.mul_(steps / (steps - dropped))


def is_mapped(values: Tensor) -> bool:
    """Whether the numbers stand for those of several members (:func:`torch.vmap`), of which each draws its own."""
    return bool(torch._C._functorch.is_batchedtensor(values))


class _Dropout(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor, probability: float) -> Tensor:
        scale = kept(values, probability)
        ctx.save_for_backward(scale)
        return values * scale

    @staticmethod
    def backward(ctx: Any, above: Tensor) -> tuple[Tensor | None, ...]:
        (scale,) = ctx.saved_tensors
        return above * scale, None


class _DropoutOfMembers(torch.autograd.Function):
    """Dropout of numbers that stand for those of several members: one call draws for all of them."""

    @staticmethod
    def forward(values: Tensor, probability: float) -> Tensor:
        return dropout(values, probability, True)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        return None

    @staticmethod
    def vmap(info: Any, in_dims: tuple[int | None, ...], values: Tensor, probability: float) -> tuple[Tensor, int]:
        assert in_dims[0] is not None
        return dropout(values, probability, True), in_dims[0]


def dropout(values: Tensor, probability: float, training: bool) -> Tensor:
    """As :func:`torch.nn.functional.dropout`, with other random numbers on the CPU.

    Args:
        values: Of any shape.
        probability: Of zeroing a number.
        training: Otherwise nothing happens.
    """
    if not training or not probability:
        return values
    if probability == 1 or not plain_float(values):
        return F.dropout(values, probability, training)
    apply = (_DropoutOfMembers if is_mapped(values) else _Dropout).apply
    result: Tensor = apply(values, probability)
    return result
