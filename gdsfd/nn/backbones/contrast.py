"""Contrastive losses between two views of the same patients."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from gdsfd.ops.dropout import is_mapped
from gdsfd.ops.traced import is_traced

__all__ = ["contrastive_loss", "unit_tanh"]

_LOG2_E = 1 / math.log(2)
_LARGEST = 88.0  #: its exponential is a float32
_MOST = 40.0  #: largest cosine over the temperature of the fast way, which multiplies exponentials


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
        A scalar; differentiable once.

    References:
        MUSE (ICLR 2024), the sum of its unsupervised and supervised contrastive losses.
    """
    if is_mapped(first):
        for_each: Tensor = _ForEachMember.apply(first, second, y, temperature)
        return for_each
    if first.size(0) < 2:
        return first.sum() * 0
    if first.dtype in (torch.bfloat16, torch.float16):
        first, second = first.float(), second.float()
    if is_traced():
        return _term_by_term(first, second, _labels(y, first.dtype), temperature)
    with torch.no_grad():
        lengths = [torch.linalg.vector_norm(each, dim=1).amax() for each in (first, second)]
        most = float(lengths[0] * torch.maximum(*lengths)) / temperature
    labels = _labels(y, first.dtype)
    with torch.autocast(first.device.type, enabled=False):
        if not most <= _MOST:
            return _term_by_term(first, second, labels, temperature)
        loss: Tensor = _Contrast.apply(first, second, labels, temperature, most)
    return loss


class _ForEachMember(torch.autograd.Function):
    """The loss of each member by itself, where members are mapped over (:func:`torch.vmap`)."""

    @staticmethod
    def forward(first: Tensor, second: Tensor, y: Tensor, temperature: float) -> Tensor:
        return contrastive_loss(first, second, y, temperature)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        return None

    @staticmethod
    def vmap(
        info: Any, in_dims: tuple[int | None, ...], first: Tensor, second: Tensor, y: Tensor, temperature: float
    ) -> tuple[Tensor, int]:
        views = [
            [each] * info.batch_size if where is None else each.unbind(where)
            for each, where in zip((first, second), in_dims)
        ]
        return torch.stack([contrastive_loss(one, other, y, temperature) for one, other in zip(*views)]), 0


def unit_tanh(values: Tensor) -> Tensor:
    """``F.normalize(torch.tanh(values))``: rows of length 1.

    Args:
        values: [N, d].

    Returns:
        [N, d]; float32 for half precision.
    """
    if values.dtype in (torch.bfloat16, torch.float16):
        values = values.float()
    return F.normalize(torch.tanh(values), dim=-1)


def _labels(y: Tensor, dtype: torch.dtype) -> Tensor:
    """Labels as floats, [B, outcomes]; a patient without one of them has NaN in all."""
    labels = y.unsqueeze(-1) if y.dim() == 1 else y
    if labels.is_floating_point():
        absent = torch.isnan(labels).any(-1)
    else:
        absent, labels = (labels < 0).any(-1), labels.to(dtype)
    if is_traced() or bool(absent.any()):
        labels = labels.masked_fill(absent.unsqueeze(-1), torch.nan)
    return labels


def _same(labels: Tensor, others: Tensor, dtype: torch.dtype) -> Tensor:
    """1 where two patients' labels are the same, else 0, and 0 where one is not known; [rows of both]."""
    # Into floats at once: torch fills a matrix of bool ten times slower.
    same = torch.empty(labels.size(0), others.size(0), dtype=dtype, device=labels.device)
    torch.eq(labels[:, :1], others[:, 0], out=same)
    for column in range(1, labels.size(1)):
        same *= labels[:, column : column + 1] == others[:, column]
    return same


def _term_by_term(first: Tensor, second: Tensor, labels: Tensor, temperature: float) -> Tensor:
    """The loss as its formula reads, for any temperature."""
    cosine = first @ second.t() / temperature
    sums = [torch.logsumexp(cosine, dim).mean() for dim in (0, 1)]
    loss = (sums[0] + sums[1]) / 2 - cosine.diagonal().mean()
    known = (~torch.isnan(labels[:, 0])).to(first.dtype)
    pairs = (known.sum() * (known.sum() - 1)).clamp_min(1)
    counts = known[:, None] * known * (1 - torch.eye(first.size(0), dtype=first.dtype, device=first.device))
    same = (labels[:, None] == labels).all(-1).to(first.dtype)
    for other in (first, second):
        logits = first @ other.t() / temperature
        terms = F.binary_cross_entropy_with_logits(logits, same, counts, reduction="sum")
        loss = loss + terms / (2 * pairs)
    return loss / 2


class _Contrast(torch.autograd.Function):
    r"""The loss is a number, so its gradient is worked out beside it and no matrix of pairs is kept.

    :math:`c` are the cosines over the temperature, of the first view with itself and then with the other, [B, B]. With
    :math:`e = \exp(c)`, which is a number as the cosines are bounded, the cross-entropy of a pair is
    :math:`\log(1 + e) - [\text{same}] c`, its gradient :math:`e / (1 + e) - [\text{same}]`, and InfoNCE takes the sums
    of :math:`e` over rows and columns. So one exponential serves all, in few passes over few matrices: memory that is
    new to the process costs more than the arithmetic.
    """

    @staticmethod
    def forward(ctx: Any, first: Tensor, second: Tensor, labels: Tensor, temperature: float, most: float) -> Tensor:
        patients = first.size(0)
        wanted = any(ctx.needs_input_grad[:2])
        scaled = first * (_LOG2_E / temperature)
        same, absent = _same(labels, labels, first.dtype), torch.isnan(labels[:, 0]).nonzero().squeeze(1)
        _set_unasked(same, absent, 0)
        pairs = 2 * (patients - absent.numel()) * (patients - absent.numel() - 1)  # of both matrices
        asked, found = first.new_zeros(()), first.new_zeros(())
        plus_one = torch.empty_like(same)
        if pairs:  # the first view with itself
            grown = F.linear(scaled, first)  # c in bits, then e
            asked -= torch.dot(grown.view(-1), same.view(-1)) / _LOG2_E
            torch.add(grown.exp2_(), 1, out=plus_one)  # torch's exp takes three times as long
            if wanted:
                grown /= plus_one
                _set_unasked(grown, absent, 0)
                of_first = F.linear(grown.sub_(same), first.t()).mul_(2)  # symmetric, and both ends are the first's
            _set_unasked(plus_one, absent, 1)
            asked += _sum_of_logs(plus_one, most)
        grown = F.linear(second, scaled)  # a row is a patient of the second view
        found -= grown.diagonal().mean() / _LOG2_E
        asked -= torch.dot(grown.view(-1), same.view(-1)) / _LOG2_E
        grown.exp2_()
        sums = grown.sum(1, keepdim=True), grown.sum(0, keepdim=True)
        found += sum(each.log().mean() for each in sums) / 2
        torch.add(grown, 1, out=plus_one)
        if wanted:
            factor = max(pairs, 1) / (2 * patients)  # gradients are worked out times the pairs
            share = plus_one.reciprocal() if pairs else torch.zeros_like(plus_one)
            _set_unasked(share, absent, 0)
            for each in sums:
                share += each.reciprocal_().mul_(factor)
            grown *= share
            if pairs:
                grown -= same
            grown.diagonal().sub_(2 * factor)
            scale = 1 / (2 * temperature * max(pairs, 1))
            of_across = F.linear(second.t(), grown.t()).t()
            if pairs:
                of_across += of_first
            ctx.save_for_backward(of_across.mul_(scale), F.linear(grown, first.t()).mul_(scale))
        if pairs:
            _set_unasked(plus_one, absent, 1)
            found += (asked + _sum_of_logs(plus_one, most)) / pairs
        return found / 2

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, above: Tensor) -> tuple[Tensor | None, ...]:
        of_first, of_second = ctx.saved_tensors
        return of_first * above, of_second * above, None, None, None


def _set_unasked(pairs: Tensor, absent: Tensor, value: float) -> None:
    """Puts a value where nothing is asked: a patient and itself, and unlabelled ones.

    Args:
        pairs: [B, B], in place.
        absent: The unlabelled; int64.
        value: What is put there.
    """
    pairs.fill_diagonal_(value)
    if absent.numel():
        pairs[absent] = value
        pairs[:, absent] = value


def _sum_of_logs(numbers: Tensor, most: float) -> Tensor:
    """Sum of the logarithms of a matrix of numbers from 1 to 1 + exp(``most``), which it overwrites.

    As many are multiplied as stay numbers for sure, for a half or a quarter of the logarithms.
    """
    total = numbers.new_zeros(())
    most += 1
    while 2 * most < _LARGEST and numbers.size(0) > 1:
        half = numbers.size(0) // 2
        if numbers.size(0) % 2:
            total += numbers[-1].log().sum()
        numbers = numbers[:half].mul_(numbers[half : 2 * half])
        most *= 2
    return total + numbers.log_().sum()
