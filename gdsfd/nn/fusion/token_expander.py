"""Several tokens per modality out of one, for methods that attend."""

from __future__ import annotations

from torch import Tensor, nn

from gdsfd.nn.fusion.modality_linear import ModalityLinear

__all__ = ["TokenExpander"]


class TokenExpander(nn.Module):
    r"""Sub-tokens of each modality: :math:`T_{ik} = LN(\mathrm{reshape}(W_k t_{ik} + b_k))`, [P, d].

    A softmax over one key is 1 whatever the query, so attention to a modality with one token is no attention.

    Args:
        num_modalities: Number of modalities K.
        channels: Width d.
        tokens: Number of sub-tokens P.

    Shapes:
        - input: [B, K, d]; output: [B, K, P, d]

    References:
        Flex-MoE (Yun et al., NeurIPS 2024) has the device, with P = 16.
    """

    def __init__(self, num_modalities: int, channels: int, tokens: int) -> None:
        super().__init__()
        self.tokens, self.channels = tokens, channels
        self.map = ModalityLinear(num_modalities, channels, tokens * channels)
        self.norm = nn.LayerNorm(channels)

    def forward(self, grid: Tensor) -> Tensor:
        """The sub-tokens; those of an absent modality are finite and have to be masked."""
        found: Tensor = self.norm(self.map(grid).unflatten(-1, (self.tokens, self.channels)))
        return found
