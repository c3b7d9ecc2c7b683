"""Standardised cross-covariance."""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
from torch import Tensor

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
        causal, causal_varies = _standardised(causal, inside, rows)
        biased, biased_varies = _standardised(biased, inside, rows)
        correlation = causal.transpose(1, 2) @ biased / rows.unsqueeze(-1)  # [G, d_c, d_b]
        beyond_chance = correlation**2 - 1 / (rows - 1).clamp(min=1).unsqueeze(-1)
        return (beyond_chance * causal_varies.unsqueeze(2) * biased_varies.unsqueeze(1)).mean((1, 2))


def _standardised(codes: Tensor, inside: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
    """Channels of mean 0 and variance 1 within each group, 0 outside; a 1 for each that varies (the others are 0).

    Args:
        codes: [B, d].
        inside: [G, B].
        rows: Patients of each group, [G, 1].

    Returns:
        [G, B, d] and [G, d].
    """
    mean = inside @ codes / rows
    centred = (codes - mean.unsqueeze(1)) * inside.unsqueeze(2)
    variance = (centred**2).sum(1) / rows
    varies = variance.detach() > _LEAST_SPREAD**2 + 1e-12 * mean.detach() ** 2  # the second term is rounding
    scale = torch.where(varies, variance, 1.0).sqrt().unsqueeze(1)
    return torch.where(varies.unsqueeze(1), centred / scale, 0 * centred), varies.to(codes.dtype)
