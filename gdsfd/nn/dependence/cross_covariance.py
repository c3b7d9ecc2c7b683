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
        causal, causal_scale = _centred(causal, inside, rows)
        biased, biased_scale = _centred(biased, inside, rows)
        of_group = causal.unsqueeze(1) * inside.T.unsqueeze(2)  # [B, G, d_c]; enough to mask one of the two
        covariance = (of_group.flatten(1).T @ biased).view(len(inside), -1, biased.size(1)) / rows.unsqueeze(-1)
        scale = causal_scale.unsqueeze(2) * biased_scale.unsqueeze(1)  # [G, d_c, d_b]
        beyond_chance = (covariance * scale) ** 2 - 1 / (rows - 1).clamp(min=1).unsqueeze(-1)
        return (beyond_chance * (scale.detach() > 0)).mean((1, 2))


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
