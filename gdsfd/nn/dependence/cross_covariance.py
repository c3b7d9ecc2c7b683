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
        causal, causal_varies = _standardised(group.causal)
        biased, biased_varies = _standardised(group.biased)
        correlation = causal.t() @ biased / group.rows  # [d_c, d_b]
        beyond_chance = correlation**2 - 1 / (group.rows - 1)
        return (beyond_chance * torch.outer(causal_varies, biased_varies)).mean()


def _standardised(codes: Tensor) -> tuple[Tensor, Tensor]:
    """Channels of mean 0 and variance 1, and a 1 for each that varies (the others are 0 throughout)."""
    centred = codes - codes.mean(0)
    variance = (centred**2).mean(0)
    varies = variance.detach() > _LEAST_SPREAD**2 + 1e-12 * codes.detach().mean(0) ** 2  # the second term is rounding
    scale = torch.where(varies, variance, 1.0).sqrt()
    return torch.where(varies, centred / scale, 0 * centred), varies.to(codes.dtype)
