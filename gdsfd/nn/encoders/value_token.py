"""Tokens of single cell values."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gdsfd.nn.encoders.cells import CellPlan
from gdsfd.nn.encoders.feature_token import FeatureToken

__all__ = ["LEAST_INDICATOR_SPREAD", "ValueToken"]

LEAST_INDICATOR_SPREAD = 0.2  #: an indicator's values are not enlarged more than fivefold, however rare it is


class ValueToken(nn.Module):
    r"""One modality's cells with values: a common linear map, with one gain and one offset per feature node.

    .. math:: t_{if} = (A\, x_{if}) \odot g_f + r_f b_f, \qquad
        x_{ifv} = s_{fv} \operatorname{clip}((v_{ifv} - \mu_{fv}) / \sigma_{fv}, -5, 5)

    with :math:`v_{if}` the V values of patient :math:`i`'s cell at node :math:`f`, their training statistics
    :math:`\mu, \sigma`, their relevance :math:`s` as in :class:`~gdsfd.nn.encoders.feature_token.FeatureToken`, and
    :math:`r_f = \max_v s_{fv}`. A column's map is thus as rich as its V values, and costs d weights of its own. Our
    formulation, after FiLM (Perez et al. 2018).

    Args:
        plan: The encoder's nodes.
        channels: Width d.

    Shapes:
        - value: [M, V], node: [M] -> [M, d] and [M]
    """

    center: Tensor
    spread: Tensor
    relevance: Tensor

    def __init__(self, plan: CellPlan, channels: int) -> None:
        super().__init__()
        self.plan = plan
        nodes, width = plan.valued.shape
        self.register_buffer("center", torch.zeros(nodes, width))
        self.register_buffer("spread", torch.ones(nodes, width))
        self.register_buffer("relevance", torch.ones(nodes, width))
        self.linear = nn.Linear(width, channels, bias=False)
        self.gain = nn.Parameter(torch.randn(nodes, channels))
        self.offset = nn.Parameter(torch.zeros(nodes, channels))

    @torch.no_grad()
    def fit(self, features: FeatureToken) -> None:
        """Takes over the statistics of the encoder's features."""
        columns = self.plan.valued.to(features.center.device)
        self.center.copy_(features.center[columns])
        self.spread.copy_(features.spread[columns])
        self.relevance.copy_(features.relevance[columns])
        if self.plan.flag is not None:  # an indicator: what is not there has no cell, so there is nothing to centre
            self.center[:, self.plan.flag] = 0
            self.spread[:, self.plan.flag].clamp_(min=LEAST_INDICATOR_SPREAD)

    def forward(self, value: Tensor, node: Tensor) -> tuple[Tensor, Tensor]:
        """Tokens of cells [M, d], and their standardised first values [M]."""
        scaled = ((value - self.center[node]) / self.spread[node]).clamp(-5, 5)
        common = self.linear(scaled * self.relevance[node])
        offset = self.offset * self.relevance.amax(1, keepdim=True)
        return torch.addcmul(offset.index_select(0, node), common, self.gain.index_select(0, node)), scaled[:, 0]
