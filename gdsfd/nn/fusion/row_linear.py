"""A linear map that takes arrays of any shape as rows."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional as F

__all__ = ["RowLinear"]


class RowLinear(nn.Linear):
    """:class:`torch.nn.Linear` with all leading axes made one.

    Where members are mapped over, a map of [B, S, in] would otherwise multiply patient by patient, with a copy of the
    weights for each, and backward.

    Shapes:
        - input: [..., in_features]; output: [..., out_features]
    """

    def forward(self, input: Tensor) -> Tensor:
        """The map of every row."""
        return self.mapped(input, self.weight, self.bias)

    def mapped(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """The map by other weights, [out_features, in_features]."""
        if input.dim() < 3:
            return F.linear(input, weight, bias)
        return F.linear(input.flatten(0, -2), weight, bias).unflatten(0, input.shape[:-1])
