"""A linear map that takes arrays of any shape as rows."""

from __future__ import annotations

from torch import Tensor, nn

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
        if input.dim() < 3:
            return super().forward(input)
        return super().forward(input.flatten(0, -2)).unflatten(0, input.shape[:-1])
