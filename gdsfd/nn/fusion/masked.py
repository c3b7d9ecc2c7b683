"""Grids of tokens whose absent places are exact zeros, and reductions that absent places take no part in."""

from __future__ import annotations

import torch
from torch import Tensor

from gdsfd.graph.grid_layout import GridLayout, Layout

__all__ = ["masked_grid", "masked_mean", "masked_softmax"]


def masked_grid(tokens: Tensor, layout: Layout) -> tuple[Tensor, Tensor]:
    """Each patient's tokens side by side.

    What stands at an absent place of a grid does not come through, NaN and infinities neither, and gets gradient 0.

    Args:
        tokens: One token per edge, [E, d], or one per place of a grid, [K, B, d].
        layout: Where the edges are.

    Returns:
        The tokens, 0 where absent, [B, K, d]; and 1 where there is one, else 0, [B, K], of the tokens' dtype.
    """
    there = layout.presence
    if isinstance(layout, GridLayout):
        tokens = torch.where(there.unsqueeze(2), tokens.transpose(0, 1), 0.0)
    else:
        tokens = layout.flat_tokens(tokens)
    return tokens, there.to(tokens.dtype)


def masked_mean(values: Tensor, there: Tensor) -> Tensor:
    """Mean over the modalities a patient has, 0 without any.

    Args:
        values: Finite also where absent; [B, K, ...].
        there: 1 where present, else 0; [B, K].

    Returns:
        [B, ...].

    Example:
        >>> masked_mean(torch.tensor([[1.0, 3.0, 9.0]]), torch.tensor([[1.0, 1.0, 0.0]]))
        tensor([2.])
    """
    weight = there / there.sum(1, keepdim=True).clamp(min=1)
    return (values * weight.reshape(weight.shape + (1,) * (values.dim() - 2))).sum(1)


def masked_softmax(scores: Tensor, mask: Tensor | None) -> Tensor:
    """Softmax over the last dimension among what the mask lets through; all 0 where it lets nothing through.

    Args:
        scores: Finite; [..., S].
        mask: True where an entry takes part; bool, broadcast to the scores. None: all do.

    Example:
        >>> masked_softmax(torch.zeros(2, 3), torch.tensor([[True, True, False], [False, False, False]]))
        tensor([[0.5000, 0.5000, 0.0000],
                [0.0000, 0.0000, 0.0000]])
    """
    if mask is None:
        return scores.softmax(-1)
    # A sum of two arrays takes a tenth of the time of filling by a broadcast mask on a CPU.
    shut = (~mask).to(scores.dtype) * (torch.finfo(scores.dtype).min / 2)
    return (scores + shut).softmax(-1) * mask
