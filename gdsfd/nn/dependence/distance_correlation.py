"""Distance correlation, bias-corrected."""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
from torch import Tensor

from gdsfd.nn.dependence.centring import u_correlation
from gdsfd.nn.dependence.dependence import CodeGroup, Dependence
from gdsfd.nn.dependence.distances import squared_distances
from gdsfd.nn.dependence.registry import register_dependence

__all__ = ["DistanceCorrelation"]


@register_dependence("dcor")
class DistanceCorrelation(Dependence):
    r"""The squared distance correlation in its bias-corrected form; no unit, and no bound of information.

    The correlation of the two tables of Euclidean distances after U-centring. In the population it is 0 if and only if
    the codes are independent and 1 if one is the other shifted, turned and scaled; the estimate of independent codes
    is about 0 at any number of rows and width, and may be below. There is no bandwidth to choose.

    References:
        Székely and Rizzo, Journal of Multivariate Analysis 117 (2013) and Annals of Statistics 42 (2014).
    """

    bound: ClassVar[Literal["lower", "upper", "none"]] = "none"
    fewest_rows: ClassVar[int] = 4

    def estimate(self, group: CodeGroup) -> Tensor:
        """The squared correlation within one group."""
        return u_correlation(_distances(group.causal), _distances(group.biased))


def _distances(codes: Tensor) -> Tensor:
    """Distances of all pairs, [n, n]; the root has no slope at 0, where the gradient is 0."""
    squared = squared_distances(codes)
    return torch.where(squared > 0, torch.where(squared > 0, squared, 1.0).sqrt(), 0.0)
