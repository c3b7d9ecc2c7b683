"""One linear map per modality, all in one product."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

__all__ = ["ModalityLinear"]


class ModalityLinear(nn.Module):
    """``y_k = W_k x_k + b_k`` for every modality k.

    Args:
        num_modalities: Number of modalities K.
        in_channels: Width of the inputs.
        out_channels: Width of the outputs.
        bias: Whether there is a bias.
        first: Whether the modalities are the first axis and the patients the second. Where several maps follow each
            other, nothing is copied between them then.

    Shapes:
        - input: [B, K, ..., in_channels], with ``first`` [K, B, ..., in_channels]; output: the same of out_channels
        - weight: [K, out_channels, in_channels]; bias: [K, out_channels]
    """

    def __init__(
        self, num_modalities: int, in_channels: int, out_channels: int, bias: bool = True, first: bool = False
    ) -> None:
        super().__init__()
        self.first = first
        self.weight = nn.Parameter(torch.empty(num_modalities, out_channels, in_channels))
        self.bias = nn.Parameter(torch.empty(num_modalities, out_channels)) if bias else None
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draws all from the uniform distribution of :class:`torch.nn.Linear`."""
        bound = max(self.weight.size(2), 1) ** -0.5
        nn.init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            nn.init.uniform_(self.bias, -bound, bound)

    def forward(self, input: Tensor) -> Tensor:
        """The maps of all modalities."""
        return self.mapped(input, self.weight, self.bias)

    def mapped(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """The maps by other weights, [K, out_channels, in_channels]."""
        moved = input if self.first else input.transpose(0, 1)
        shape = moved.shape[:-1]
        # One product per modality: with the patients as a further axis each would multiply by a copy of the weights.
        found = moved.reshape(shape[0], math.prod(shape[1:]), moved.size(-1)) @ weight.transpose(1, 2)
        if bias is not None:
            found = found + bias.unsqueeze(1)
        found = found.reshape(*shape, found.size(-1))
        return found if self.first else found.transpose(0, 1)

    def extra_repr(self) -> str:
        """The sizes."""
        modalities, out, into = self.weight.shape
        return f"{modalities} x {into} -> {out}, bias={self.bias is not None}"
