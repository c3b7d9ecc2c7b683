"""Codes on a common scale, by running means and standard deviations."""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["RunningScale"]

_LEAST_SPREAD = 1e-4


class RunningScale(nn.Module):
    """Centres and scales each channel with statistics that are constants to the gradient.

    Encoders give codes of any scale, and it drifts while they learn; a critic is a small network that wants inputs of
    unit scale. Mutual information does not change when a code is shifted and scaled, so the bound stays one.

    Args:
        channels: Width d.
        momentum: Share of the old statistics that is kept at each :meth:`update`.

    Shapes:
        - codes: [n, d]; output: [n, d]
    """

    mean: Tensor
    variance: Tensor
    fitted: Tensor

    def __init__(self, channels: int, momentum: float = 0.9) -> None:
        super().__init__()
        self.momentum = momentum
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("variance", torch.ones(channels))
        self.register_buffer("fitted", torch.zeros((), dtype=torch.bool))

    @torch.no_grad()
    def update(self, codes: Tensor) -> None:
        """Takes in a batch; the first one of at least two rows is taken whole, one of fewer is passed over."""
        if codes.size(0) < 2:
            return
        kept = torch.where(self.fitted, self.momentum, 0.0)
        variance, mean = torch.var_mean(codes.to(self.mean.dtype), dim=0)
        self.mean.lerp_(mean, 1 - kept)
        self.variance.lerp_(variance, 1 - kept)
        self.fitted.fill_(True)

    def forward(self, codes: Tensor) -> Tensor:
        """The codes on the running scale; as they are before the first update."""
        return (codes - self.mean) / self.variance.sqrt().clamp(min=_LEAST_SPREAD)
