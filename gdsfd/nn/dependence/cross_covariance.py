"""Standardised cross-covariance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from gdsfd.nn.dependence.dependence import CodeGroup, Dependence
from gdsfd.nn.dependence.registry import register_dependence

__all__ = ["CrossCovariance"]

_LEAST_SPREAD = 1e-4


@register_dependence("xcov")
class CrossCovariance(Dependence):
    r"""The mean squared correlation between the channels of two codes, less what chance gives; no unit.

    .. math:: \frac{1}{d_c d_b} \sum_{kl} \left( r_{kl}^2 - \frac{1}{n - 1} \right)

    with :math:`r_{kl}` the correlation of causal channel :math:`k` with biased channel :math:`l` among the :math:`n`
    rows. Independent channels have :math:`E\, r^2 = 1 / (n - 1)` (exactly, if one of the two is Gaussian), a constant
    that the gradient does not see. Channels with a standard deviation below 1e-4 count as constant and correlate with
    nothing. It sees linear dependence only.

    References:
        Our formulation; the off-diagonal term of Barlow Twins (Zbontar et al., ICML 2021) between two codes.
    """

    bound: ClassVar[Literal["lower", "upper", "none"]] = "none"

    def estimate(self, group: CodeGroup) -> Tensor:
        """The mean squared correlation within one group."""
        return self.within(group.causal, group.biased, group.causal.new_ones(1, group.rows)).squeeze(0)

    def within(self, causal: Tensor, biased: Tensor, inside: Tensor) -> Tensor:
        """The same within each of several groups; see :meth:`Dependence.within`."""
        rows = inside.sum(1).clamp(min=1).unsqueeze(-1)  # [G, 1]
        causal, causal_scale = _centred(causal, inside, rows)
        biased, biased_scale = _centred(biased, inside, rows)
        of_group = causal.unsqueeze(1) * inside.T.unsqueeze(2)  # [B, G, d_c]; enough to mask one of the two
        covariance = (of_group.flatten(1).T @ biased).view(len(inside), -1, biased.size(1)) / rows.unsqueeze(-1)
        scale = causal_scale.unsqueeze(2) * biased_scale.unsqueeze(1)  # [G, d_c, d_b]
        beyond_chance = (covariance * scale) ** 2 - 1 / (rows - 1).clamp(min=1).unsqueeze(-1)
        return (beyond_chance * (scale.detach() > 0)).mean((1, 2))

    def among(self, causal: Tensor, biased: Tensor, groups: Sequence[Tensor]) -> Tensor:
        """The same of groups whose rows are known: a product of each group's rows only; differentiable once."""
        found: Tensor = _Among.apply(causal, biased, *groups)
        return found


class _Among(torch.autograd.Function):
    r"""The gradient is worked out beside the value.

    With :math:`\hat a, \hat b` the codes of a group of :math:`n` brought to mean 0 and variance 1 and
    :math:`r = \hat a^T \hat b / n`, that of :math:`\operatorname{mean} r^2` toward the causal codes is
    :math:`\frac{2}{d_c d_b n} \sigma_a^{-1} (\hat b r^T - \hat a \sum_l r_{kl}^2)`.
    """

    @staticmethod
    def forward(ctx: Any, causal: Tensor, biased: Tensor, *groups: Tensor) -> Tensor:
        value = causal.new_zeros(len(groups))
        of_causal, of_biased = torch.zeros_like(causal), torch.zeros_like(biased)
        pairs = causal.size(1) * biased.size(1)
        for number, rows in enumerate(groups):
            size = rows.numel()
            if not size:
                continue
            one, one_scale = _standardised(causal.index_select(0, rows))
            other, other_scale = _standardised(biased.index_select(0, rows))
            shared = (one.t() @ other).div_(size)
            squares = shared.square()
            varying = float((one_scale > 0).sum() * (other_scale > 0).sum())
            value[number] = (squares.sum() - varying / max(size - 1, 1)) / pairs
            share = 2 / (pairs * size)
            one_grad = torch.mm(other, shared.t()).sub_(one * squares.sum(1)).mul_(one_scale * share)
            other_grad = torch.mm(one, shared).sub_(other * squares.sum(0)).mul_(other_scale * share)
            of_causal.index_copy_(0, rows, one_grad)
            of_biased.index_copy_(0, rows, other_grad)
        ctx.save_for_backward(of_causal, of_biased, *groups)
        return value

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, above: Tensor) -> tuple[Tensor | None, ...]:
        of_causal, of_biased, *groups = ctx.saved_tensors
        of_row = above.new_zeros(of_causal.size(0), 1)
        for number, rows in enumerate(groups):
            of_row[rows] = above[number]
        return of_causal * of_row, of_biased * of_row, *[None] * len(groups)


def _standardised(codes: Tensor) -> tuple[Tensor, Tensor]:
    """Codes of mean 0 and variance 1, and what their channels were multiplied by; 0 for one that does not vary."""
    mean = codes.mean(0)
    centred = codes - mean
    variance = centred.square().mean(0)
    varies = variance > _LEAST_SPREAD**2 + 1e-12 * mean.square()
    scale = torch.where(varies, variance, 1.0).rsqrt_().mul_(varies)
    return centred.mul_(scale), scale


def _centred(codes: Tensor, inside: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
    """Codes less the mean of each patient's group, and what brings a group's channels to variance 1.

    Nothing here has a row per group and patient: a step spends its time on arrays of that size.

    Args:
        codes: [B, d].
        inside: [G, B], one group per patient at most.
        rows: Patients of each group, [G, 1].

    Returns:
        [B, d], and 1 / standard deviation [G, d], 0 for a channel that does not vary.
    """
    mean = inside @ codes / rows
    centred = codes - inside.T @ mean
    variance = inside @ centred**2 / rows
    varies = variance.detach() > _LEAST_SPREAD**2 + 1e-12 * mean.detach() ** 2  # the second term is rounding
    return centred, torch.where(varies, variance, 1.0).rsqrt() * varies
