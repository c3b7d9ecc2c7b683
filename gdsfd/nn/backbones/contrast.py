"""Contrastive losses between two views of the same patients."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from gdsfd.ops.linear import plain_float, rows_by

__all__ = ["contrastive_loss"]

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


class _Contrast(torch.autograd.Function):
    """The loss is a number, so its gradient is worked out beside it and no matrix of pairs is kept."""

    @staticmethod
    def forward(ctx: Any, first: Tensor, second: Tensor, labels: Tensor, temperature: float) -> Tensor:
        with torch.autocast(first.device.type, enabled=False):
            scaled = first / temperature
            across, within = _product(scaled, second), _product(scaled, first)
            found, of_across = _itself(across)
            alike = _same_label(across, within, labels)
            if any(ctx.needs_input_grad[:2]):
                across += of_across
                of_second = _product(across.t(), first.t())
                of_first = _product(across, second.t())
                of_first.add_(_product(within, first.t()), alpha=2)  # symmetric, and both ends are the first view's
                ctx.save_for_backward(of_first.div_(2 * temperature), of_second.div_(2 * temperature))
        return (found + alike) / 2

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, above: Tensor) -> tuple[Tensor | None, ...]:
        of_first, of_second = ctx.saved_tensors
        return of_first * above, of_second * above, None, None


def _itself(cosine: Tensor) -> tuple[Tensor, Tensor]:
    """InfoNCE in both directions, its mean, and the gradient of the cosines [B, B] (over the temperature)."""
    total, gradient = -cosine.diagonal().mean(), None
    for dim in (0, 1):
        peak = cosine.amax(dim, keepdim=True)
        share = (cosine - peak).mul_(_LOG2_E).exp2_()  # torch's softmax and exp take three times as long
        sums = share.sum(dim, keepdim=True)
        total = total + (peak + sums.log()).mean() / 2
        share /= sums
        gradient = share if gradient is None else gradient.add_(share)
    assert gradient is not None
    gradient.diagonal().sub_(2)
    return total, gradient.div_(2 * cosine.size(0))


def _same_label(across: Tensor, within: Tensor, labels: Tensor) -> Tensor:
    """Mean cross-entropy of whether two labelled patients' labels are the same; the cosines become its gradient.

    Args:
        across: Cosines over the temperature, [B, B]; in their place the gradient is returned.
        within: Likewise.
        labels: [B, outcomes].
    """
    unlabelled = torch.isnan(labels).any(-1) if labels.is_floating_point() else (labels < 0).any(-1)
    absent = int(unlabelled.sum())
    patients = labels.size(0) - absent
    if patients < 2:
        across.zero_()
        within.zero_()
        return across.new_zeros(())
    pairs = 2 * patients * (patients - 1)
    same = labels[:, 0].unsqueeze(0) == labels[:, 0].unsqueeze(1)
    for column in range(1, labels.size(1)):
        same &= labels[:, column].unsqueeze(0) == labels[:, column].unsqueeze(1)
    sign = same.to(across.dtype).mul_(2).sub_(1)
    bounded, rest = torch.ones_like(sign), across.new_zeros(())
    for cosine in (across, within):
        margin = cosine.mul_(sign)
        margin.fill_diagonal_(torch.inf)  # nothing is asked of a patient and itself
        if absent:
            margin[unlabelled] = torch.inf
            margin[:, unlabelled] = torch.inf
        right = margin.sigmoid()
        # The sum of log(right). Below _LEAST that is the margin itself, so the rest is added to log(_LEAST); and above
        # it two of them can be multiplied without leaving the numbers' range, for half the logarithms.
        rest += margin.sub_(math.log(_LEAST)).clamp_(max=0).sum()
        torch.sub(right, 1, out=cosine).mul_(sign).div_(pairs)
        bounded *= right.clamp_(min=_LEAST)
    return (bounded.log_().sum() + rest) / -pairs


def _product(rows: Tensor, weight: Tensor) -> Tensor:
    return rows_by(rows, weight) if plain_float(rows, weight) else F.linear(rows, weight)
