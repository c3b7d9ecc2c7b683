"""InfoNCE: the lower bound by picking out the partner."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from gdsfd.nn.dependence.pair_bound import PairBound
from gdsfd.nn.dependence.registry import register_dependence

__all__ = ["InfoNce"]


@register_dependence("infonce")
class InfoNce(PairBound):
    r"""How much better than chance each code finds its partner among the batch's, in nats.

    .. math:: I(z_c; z_b) \ge \log n + \frac{1}{n} \sum_i \log \frac{e^{T_{ii}}}{\sum_j e^{T_{ij}}}

    averaged over both directions (rows and columns). Of low variance, and never more than :math:`\log n` whatever the
    truth, n being the rows of the batch (of the class, with a condition): 5.5 nats at 256.

    References:
        van den Oord et al., 2018; Poole et al., ICML 2019, equation 10.
    """

    def from_scores(self, scores: Tensor) -> Tensor:
        """The bound from scores [n, n], in nats."""
        partner = torch.arange(scores.size(0), device=scores.device)
        missed = (F.cross_entropy(scores, partner) + F.cross_entropy(scores.t(), partner)) / 2
        return math.log(scores.size(0)) - missed
