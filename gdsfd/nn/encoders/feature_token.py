"""Linear map from dense features to a token, with features scaled by relevance."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gdsfd.ops import dropout

__all__ = ["FeatureToken", "ResidualToken"]


class ResidualToken(nn.Module):
    """Adds a small network to a token: linear evidence passes straight through, the network starts at 0.

    Args:
        channels: Width d.
        dropout: Dropout probability on the token and inside the network.

    Shapes:
        - input and output: [E, d]
    """

    def __init__(self, channels: int, dropout: float) -> None:
        super().__init__()
        self.dropout = dropout
        self.inner = nn.Linear(channels, channels)
        self.outer = nn.Linear(channels, channels)
        nn.init.zeros_(self.outer.weight)
        nn.init.zeros_(self.outer.bias)

    def forward(self, token: Tensor) -> Tensor:
        """The token with the network's share."""
        token = dropout(token, self.dropout, self.training)
        hidden = dropout(F.gelu(self.inner(token)), self.dropout, self.training)
        return token + self.outer(hidden)


class FeatureToken(nn.Module):
    r"""A linear map of standardised features, each scaled by its relevance.

    .. math:: t = b + W (s \odot \operatorname{clip}((x - \mu) / \sigma, -5, 5))

    :math:`\mu, \sigma` are training statistics, :math:`s_j \in [0, 1]` the relevance of feature :math:`j` (see
    :mod:`gdsfd.nn.relevance`). Cohorts have more features than patients with an event; without the scaling the map
    fits noise before signal. Our formulation, after marginal screening (Fan and Lv 2008) and the adaptive ridge.

    Args:
        in_channels: Features F.
        out_channels: Width d.

    Shapes:
        - input: [E, F]; output: [E, d]
    """

    center: Tensor
    spread: Tensor
    relevance: Tensor

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.in_channels, self.out_channels = in_channels, out_channels
        self.register_buffer("center", torch.zeros(in_channels))
        self.register_buffer("spread", torch.ones(in_channels))
        self.register_buffer("relevance", torch.ones(in_channels))
        self.linear = nn.Linear(in_channels, out_channels)

    def scale(self, features: Tensor) -> Tensor:
        """Standardised features times their relevance, [E, F]; no weight has a part in it."""
        scaled = features - self.center
        if scaled.requires_grad:
            return (scaled / self.spread).clamp(-5, 5) * self.relevance
        # in place: memory that is new to the process costs more than the arithmetic
        return scaled.div_(self.spread).clamp_(-5, 5).mul_(self.relevance)

    def forward(self, features: Tensor) -> Tensor:
        """Maps features to tokens."""
        return self.linear(self.scale(features))
