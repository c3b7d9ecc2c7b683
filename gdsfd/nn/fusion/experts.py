"""Feed-forward experts of which every row takes a few, and what keeps their loads even."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gdsfd.nn.fusion.masked import masked_softmax
from gdsfd.nn.fusion.row_linear import RowLinear

__all__ = ["Experts", "Routing", "variation"]


@dataclass(eq=False)
class Routing:
    """Where rows went.

    Args:
        scores: What the experts were chosen by, with noise in training; [..., E].
        gates: Share of each expert, 0 for those not taken, sum 1; [..., E].
        taken: Probability under the noise that an expert is taken, which has a gradient; [..., E].
    """

    scores: Tensor
    gates: Tensor
    taken: Tensor


def variation(load: Tensor) -> Tensor:
    r"""The squared coefficient of variation, :math:`\mathrm{var}(l) / \mathrm{mean}(l)^2`; 0 where all are equal.

    Args:
        load: At least 0; [E].

    Example:
        >>> variation(torch.tensor([1.0, 3.0]))
        tensor(0.2500)
    """
    return load.var(correction=0) / load.mean().square().clamp(min=1e-10)


class Experts(nn.Module):
    r"""A mixture of sparse experts.

    .. math::
        r = W_g x \; (+ \; \mathrm{softplus}(W_n x) \, \epsilon \text{ in training}), \qquad
        \mathrm{out} = \textstyle\sum_{e \in \mathrm{top}_q(r)} \mathrm{softmax}_{\mathrm{top}}(r)_e \,
        (V_e \, \mathrm{gelu}(U_e x + a_e) + b_e)

    All experts are worked out in two products and those not taken count 0, so shapes are fixed and no expert has a
    limit; in evaluation there is no noise, so that a row's output does not depend on other rows.

    Args:
        channels: Width d.
        experts: Number of experts E.
        top: How many a row takes, 1 to E.
        expansion: Width of an expert's hidden layer over d.

    Shapes:
        - input: [..., d]; output: [..., d]
    """

    def __init__(self, channels: int, experts: int, top: int, expansion: int = 1) -> None:
        super().__init__()
        self.experts, self.top = experts, top
        self.gate = RowLinear(channels, experts, bias=False)
        self.spread = RowLinear(channels, experts, bias=False)
        self.up = RowLinear(channels, experts * expansion * channels)
        self.down = RowLinear(experts * expansion * channels, channels, bias=False)
        with torch.no_grad():  # an expert's, not all experts', width
            self.down.weight.mul_(experts**0.5)
        self.bias = nn.Parameter(torch.zeros(experts, channels))

    def route(self, input: Tensor) -> Routing:
        """Which experts rows take, and how much of each."""
        clean = self.gate(input)
        noisy, spread = clean, None
        if self.training:
            spread = F.softplus(self.spread(input)) + 1e-2
            noisy = clean + spread * self.noise(clean)
        best = noisy.topk(min(self.top + 1, self.experts), -1).values
        kept = noisy >= best[..., self.top - 1 : self.top]
        taken = kept.to(noisy.dtype)
        if spread is not None and self.top < self.experts:
            # One that is taken would have to fall behind the first that is not, and the other way round.
            bar = torch.where(kept, best[..., self.top :], best[..., self.top - 1 : self.top])
            taken = torch.special.ndtr((clean - bar) / spread)
        return Routing(noisy, masked_softmax(noisy, kept), taken)

    @staticmethod
    def noise(like: Tensor) -> Tensor:
        """Standard normal draws."""
        return torch.randn_like(like)

    def forward(self, input: Tensor) -> tuple[Tensor, Routing]:
        """The mixture's output, and where rows went."""
        routing = self.route(input)
        hidden = F.gelu(self.up(input)).unflatten(-1, (self.experts, -1)) * routing.gates.unsqueeze(-1)
        return self.down(hidden.flatten(-2)) + routing.gates @ self.bias, routing
