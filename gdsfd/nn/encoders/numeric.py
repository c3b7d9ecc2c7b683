"""Transformation of raw clinical numbers into network inputs, by training statistics."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from gdsfd.cohort.schema import QUANTILE_LEVELS, NumericScale

__all__ = ["NumericTransform", "hinges"]


class NumericTransform(nn.Module):
    r"""Turns raw values of C columns into bounded inputs; NaN means not measured.

    For column :math:`c` with training median :math:`m_c` and robust scale :math:`s_c` (interquartile range / 1.349, or
    the standard deviation where that is 0), a value :math:`x` gives

    .. math:: z = 3\tanh\left(\frac{x - m_c}{3 s_c}\right), \qquad r = 2 \hat F_c(x) - 1,

    where :math:`\hat F_c` is the training distribution function, linear between the stored quantiles (middle of the
    step where quantiles tie). The first keeps distances near the middle and bounds typing errors, the second is a rank
    and knows no outliers. Two hinges, :math:`\max(z - 1/2, 0)` and :math:`\max(-z - 1/2, 0)`, let a linear map treat
    low and high values differently. A missing value gives 0 everywhere. Our formulation.

    Args:
        scales: Training statistics of each column.

    Shapes:
        - input: [..., C]
        - output: five of [..., C]: z, r, high hinge, low hinge, observed (1.0 where measured)
    """

    center: Tensor
    spread: Tensor
    knots: Tensor
    levels: Tensor

    def __init__(self, scales: Sequence[NumericScale]) -> None:
        super().__init__()
        quantiles = torch.tensor([scale.quantiles for scale in scales], dtype=torch.float64).view(
            -1, len(QUANTILE_LEVELS)
        )
        lower, middle, upper = (quantiles[:, QUANTILE_LEVELS.index(level)] for level in (0.25, 0.5, 0.75))
        deviation = torch.tensor([scale.std for scale in scales], dtype=torch.float64)
        spread = (upper - lower) / 1.349
        spread = torch.where(spread > 1e-9 * (1 + middle.abs()), spread, deviation)
        spread = torch.where(spread > 0, spread, torch.ones_like(spread))
        self.register_buffer("center", middle.float())
        self.register_buffer("spread", spread.float())
        self.register_buffer("knots", quantiles.float().contiguous())
        self.register_buffer("levels", torch.tensor(QUANTILE_LEVELS))

    @property
    def num_columns(self) -> int:
        """Number of columns C."""
        return self.center.numel()

    def forward(self, value: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
        """Transforms values; see the class for the mathematics and shapes."""
        observed = ~torch.isnan(value)
        filled = torch.where(observed, value, self.center)
        z = _squash(filled, self.center, self.spread)
        # searchsorted wants rows in one piece; -1 would be ambiguous without columns
        columns = filled.reshape(filled.shape[:-1].numel(), self.num_columns).t().contiguous()
        rank = 2 * self._interpolate(columns, self.knots).t().reshape(value.shape) - 1
        flag = observed.to(value.dtype)
        z = z * flag
        return z, rank * flag, *hinges(z), flag

    def squash(self, value: Tensor, column: Tensor) -> Tensor:
        """z of single values, each of its own column; ``column`` int64 broadcasts against ``value``."""
        return _squash(value, self.center[column], self.spread[column])

    def rank(self, value: Tensor, column: Tensor) -> Tensor:
        """r of single values [M], each of its own column int64 [M]."""
        return 2 * self._interpolate(value.unsqueeze(-1), self.knots[column]).squeeze(-1) - 1

    def _interpolate(self, value: Tensor, knots: Tensor) -> Tensor:
        """Distribution function of ``value`` [R, V] under row-wise ``knots`` [R, Q]."""
        last = knots.size(-1) - 1
        left = torch.searchsorted(knots, value, right=False)
        right = torch.searchsorted(knots, value, right=True)
        tied = right > left
        low = (left - 1).clamp(0, last)
        high = left.clamp(0, last)
        x0, x1 = knots.gather(-1, low), knots.gather(-1, high)
        y0, y1 = self.levels[low], self.levels[high]
        share = ((value - x0) / (x1 - x0).clamp(min=1e-30)).clamp(0, 1)
        between = y0 + share * (y1 - y0)
        middle = (self.levels[left.clamp(0, last)] + self.levels[(right - 1).clamp(0, last)]) / 2
        return torch.where(tied, middle, between)


def _squash(value: Tensor, center: Tensor, spread: Tensor) -> Tensor:
    return 3 * torch.tanh((value - center) / (3 * spread))


def hinges(z: Tensor) -> tuple[Tensor, Tensor]:
    """How far z lies above 1/2, and below -1/2; both as ``z``."""
    return (z - 0.5).clamp(min=0), (-z - 0.5).clamp(min=0)
