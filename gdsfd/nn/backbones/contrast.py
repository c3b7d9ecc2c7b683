"""Contrastive losses between two views of the same patients."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from gdsfd.ops.linear import plain_float, rows_by

__all__ = ["contrastive_loss", "unit_tanh"]

_SHORTEST = 1e-12  #: length that a shorter vector is divided by, as in torch.nn.functional.normalize
_LOG2_E = 1 / math.log(2)
_LEAST = 1e-15  #: below it, log(sigmoid(x)) is x to the last digit of float64


def contrastive_loss(first: Tensor, second: Tensor, y: Tensor, temperature: float) -> Tensor:
    r"""Half an unsupervised and half a supervised contrastive loss, in nats.

    The unsupervised half is InfoNCE: each patient must find itself among the other view's patients. The supervised half
    asks of every pair of labelled patients whether their labels are the same, by binary cross-entropy on the cosine.
    Unlabelled patients take part in the first half only; a batch with fewer than two labelled patients has no second.

    Args:
        first: Unit vectors of the full view, [B, d].
        second: Unit vectors of the other view, [B, d].
        y: Labels: float [B, outcomes] with NaN = unlabelled, or long [B] with -1 = unlabelled.
        temperature: Divides the cosines.

    Returns:
        A scalar, differentiable once.

    References:
        MUSE (ICLR 2024), the sum of its unsupervised and supervised contrastive losses.
    """
    if first.size(0) < 2:
        return first.sum() * 0
    if first.dtype in (torch.bfloat16, torch.float16):
        first, second = first.float(), second.float()
    loss: Tensor = _Contrast.apply(first, second, y.unsqueeze(-1) if y.dim() == 1 else y, temperature)
    return loss


def unit_tanh(values: Tensor) -> Tensor:
    """``F.normalize(torch.tanh(values))``: rows of length 1; differentiable once.

    Args:
        values: [N, d].

    Returns:
        [N, d]; float32 for half precision.
    """
    if values.dtype in (torch.bfloat16, torch.float16):
        values = values.float()
    result: Tensor = _UnitTanh.apply(values)
    return result


class _UnitTanh(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:
        unit = torch.tanh(values)
        length = torch.linalg.vector_norm(unit, dim=-1, keepdim=True).clamp_(min=_SHORTEST)
        unit /= length
        ctx.save_for_backward(unit, length)
        return unit

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, above: Tensor) -> Tensor:
        unit, length = ctx.saved_tensors
        # Along the vector nothing changes, but where its length was taken for longer than it is.
        along = torch.linalg.vecdot(above, unit).unsqueeze(-1).masked_fill_(length <= _SHORTEST, 0)
        passed = torch.addcmul(above, unit, along, value=-1).div_(length)
        tanh = unit * length
        return passed.addcmul_(passed, tanh.square_(), value=-1)


class _Contrast(torch.autograd.Function):
    """The loss is a number, so its gradient is worked out beside it and no matrix of pairs is kept.

    Everything happens in place in a few matrices: memory that is new to the process costs more than the arithmetic.
    """

    @staticmethod
    def forward(ctx: Any, first: Tensor, second: Tensor, labels: Tensor, temperature: float) -> Tensor:
        wanted = any(ctx.needs_input_grad[:2])
        with torch.autocast(first.device.type, enabled=False):
            scaled = first / temperature
            asked = _Asked(labels, scaled.dtype)
            cosine = _product(scaled, first)
            scratch = torch.empty_like(cosine)
            loss = _same_label(cosine, asked, scratch)
            if wanted:
                of_first = _product(cosine, first.t()).mul_(2)  # symmetric, and both ends are the first view's
            cosine = _product(scaled, second)
            found, gradient = _itself(cosine, scratch)
            loss = loss + _same_label(cosine, asked, scratch) + found
            if wanted:
                cosine += gradient
                of_second = _product(cosine.t(), first.t())
                of_first += _product(cosine, second.t())
                ctx.save_for_backward(of_first.div_(2 * temperature), of_second.div_(2 * temperature))
        return loss / 2

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, above: Tensor) -> tuple[Tensor | None, ...]:
        of_first, of_second = ctx.saved_tensors
        return of_first * above, of_second * above, None, None


class _Asked:
    """What is asked of the pairs: ``sign`` is 1 where two labels are the same, else -1; [B, B].

    Args:
        labels: [B, outcomes].
        dtype: Of the cosines.
    """

    def __init__(self, labels: Tensor, dtype: torch.dtype) -> None:
        self.unlabelled = torch.isnan(labels).any(-1) if labels.is_floating_point() else (labels < 0).any(-1)
        self.absent = int(self.unlabelled.sum())
        patients = labels.size(0) - self.absent
        self.pairs = 2 * patients * (patients - 1)  # of both matrices
        same = labels[:, 0].unsqueeze(0) == labels[:, 0].unsqueeze(1)
        for column in range(1, labels.size(1)):
            same &= labels[:, column].unsqueeze(0) == labels[:, column].unsqueeze(1)
        self.sign = same.to(dtype).mul_(2).sub_(1)


def _itself(cosine: Tensor, scratch: Tensor) -> tuple[Tensor, Tensor]:
    """InfoNCE in both directions, its mean, and the gradient of the cosines [B, B] (over the temperature)."""
    total, gradient = -cosine.diagonal().mean(), torch.empty_like(cosine)
    for dim, share in enumerate((gradient, scratch)):
        peak = cosine.amax(dim, keepdim=True)
        torch.sub(cosine, peak, out=share).mul_(_LOG2_E).exp2_()  # torch's softmax and exp take three times as long
        sums = share.sum(dim, keepdim=True)
        total = total + (peak + sums.log()).mean() / 2
        share /= sums
    gradient += scratch
    gradient.diagonal().sub_(2)
    return total, gradient.div_(2 * cosine.size(0))


def _same_label(cosine: Tensor, asked: _Asked, scratch: Tensor) -> Tensor:
    """Cross-entropy of whether two labelled patients' labels are the same, its share in the mean.

    Args:
        cosine: Over the temperature, [B, B]; becomes its own gradient.
        asked: Of the pairs.
        scratch: [B, B]; is overwritten.
    """
    if asked.pairs <= 0:
        cosine.zero_()
        return cosine.new_zeros(())
    margin = cosine.mul_(asked.sign)
    margin.fill_diagonal_(torch.inf)  # nothing is asked of a patient and itself
    if asked.absent:
        margin[asked.unlabelled] = torch.inf
        margin[:, asked.unlabelled] = torch.inf
    right = torch.sigmoid(margin, out=scratch)
    # The sum of log(right). Below _LEAST that is the margin itself, so the rest is added to log(_LEAST); and above it
    # two of them can be multiplied without leaving the numbers' range, for half the logarithms.
    total = margin.sub_(math.log(_LEAST)).clamp_(max=0).sum()
    torch.sub(right, 1, out=cosine).mul_(asked.sign).div_(asked.pairs)
    right.clamp_(min=_LEAST)
    half = right.size(0) // 2
    right[:half] *= right[half : 2 * half]
    total = total + right[:half].log_().sum() + right[2 * half :].log_().sum()
    return total / -asked.pairs


def _product(rows: Tensor, weight: Tensor) -> Tensor:
    return rows_by(rows, weight) if plain_float(rows, weight) else F.linear(rows, weight)
