"""The head on pairs of a patient's code and the centre of a stratum."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from gdsfd.nn.dropout import Dropout

__all__ = ["StratumHead"]

#: Width of the hidden layer by default. Its cost is patients x strata x width, which a backbone's layers do not have.
HIDDEN = 32


class StratumHead(nn.Module):
    r"""One hidden layer on both: :math:`f(z, c) = V \operatorname{relu}(W_z z + W_c c + b) + a` for every pair.

    Layers on codes and on centres are applied before pairs are formed, so that what is as large as patients x centres
    has the hidden width only, never the width of two codes.

    Args:
        channels: Width d of a patient's code and of a centre.
        outputs: Outputs o.
        hidden: Width of the hidden layer.
        dropout: Of numbers of the code (centres are shared by all patients and stay whole).

    Shapes:
        code [B, d]; centers [S, d] for all patients or [B, T, d] for each; returns logits [B, S or T, o].

    Example:
        >>> StratumHead(4, 1)(torch.zeros(2, 4), torch.zeros(3, 4)).shape
        torch.Size([2, 3, 1])
    """

    def __init__(self, channels: int, outputs: int, hidden: int = HIDDEN, dropout: float = 0.0) -> None:
        super().__init__()
        self.channels, self.outputs, self.hidden = channels, outputs, hidden
        self.dropout = Dropout(dropout)
        self.of_code = nn.Linear(channels, hidden)
        self.of_center = nn.Linear(channels, hidden, bias=False)
        self.out = nn.Linear(hidden, outputs)

    def forward(self, code: Tensor, centers: Tensor) -> Tensor:
        """Logits of every patient under every centre.

        Args:
            code: [B, d].
            centers: [S, d], or [B, T, d].

        Returns:
            float [B, S or T, o].
        """
        return self.pairs(self.dropout(code), centers)

    def own(self, code: Tensor, centers: Tensor) -> Tensor:
        """Logits of every patient under one centre each.

        Args:
            code: [B, d].
            centers: [B, d].

        Returns:
            float [B, o].
        """
        logits: Tensor = self(code, centers.unsqueeze(1)).squeeze(1)
        return logits

    def pairs(self, code: Tensor, centers: Tensor) -> Tensor:
        """As :meth:`forward`, after dropout."""
        logits: Tensor = self.out((self.of_code(code).unsqueeze(1) + self.of_center(centers)).relu_())
        return logits

    def start_from(self, bias: Tensor) -> None:
        """Sets the bias of the last layer, [o], for a start at the outcome's rate."""
        with torch.no_grad():
            self.out.bias.copy_(bias)

    def extra_repr(self) -> str:
        return f"{self.channels}, {self.outputs}, hidden={self.hidden}"
