"""Several tokens per modality out of one, for methods that attend."""

from __future__ import annotations

from torch import Tensor, nn

from gdsfd.nn.fusion.modality_linear import ModalityLinear

__all__ = ["TokenExpander", "narrow_width"]


def narrow_width(channels: int, width: int = 0) -> int:
    """The width in which a learner attends: the one asked for, or with 0 a quarter of its channels, and 16 at least.

    Example:
        >>> narrow_width(64), narrow_width(24), narrow_width(8), narrow_width(64, 48)
        (16, 16, 8, 48)
    """
    return width or max(channels // 4, min(channels, 16))


class TokenExpander(nn.Module):
    r"""Sub-tokens of each modality: :math:`T_{ik} = LN(\mathrm{reshape}(W_k t_{ik} + b_k))`, [P, w].

    A softmax over one key is 1 whatever the query, so attention to a modality with one token is no attention.

    Args:
        num_modalities: Number of modalities K.
        channels: Width d.
        tokens: Number of sub-tokens P.
        width: Their width w, d by default.

    Shapes:
        - input: [B, K, d]; output: [B, K, P, w]

    References:
        Flex-MoE (Yun et al., NeurIPS 2024) has the device, with P = 16 and w = d.
    """

    def __init__(self, num_modalities: int, channels: int, tokens: int, width: int | None = None) -> None:
        super().__init__()
        self.tokens, self.width = tokens, width or channels
        self.map = ModalityLinear(num_modalities, channels, tokens * self.width)
        self.norm = nn.LayerNorm(self.width, elementwise_affine=False)

    def forward(self, grid: Tensor) -> Tensor:
        """The sub-tokens; those of an absent modality are finite and have to be masked."""
        found: Tensor = self.norm(self.map(grid).unflatten(-1, (self.tokens, self.width)))
        return found
