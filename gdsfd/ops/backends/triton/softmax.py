"""Weights of an attention softmax, which then enters as a mean: numerators outside, normalisation in the kernels."""

from __future__ import annotations

import torch
from torch import Tensor

from gdsfd.ops.backends.triton.reductions import largest
from gdsfd.ops.bipartite import Bipartite, Side

__all__ = ["softmax_weight"]

# An edge of mask 0 has no part in the softmax, but its mask has a gradient, which must stay finite: exp(80) < 2^128.
_LARGEST_EXPONENT = 80.0


def softmax_weight(score: Tensor, mask: Tensor | None, graph: Bipartite, toward: Side) -> Tensor:
    """``a_e exp(s_e - peak)``, in float32 at least.

    The peak is the destination's largest score among edges with a > 0. The softmax does not depend on it, so it has no
    gradient; it only keeps the exponentials in range.

    Args:
        score: [E, H].
        mask: [E, 1] or [E, C], or None.
        graph: The edges.
        toward: The side of the destinations.

    Returns:
        [E, H], or [E, C] where the mask has C columns.
    """
    wide = torch.promote_types(score.dtype, torch.float32)
    score = score.to(wide)
    if mask is not None:
        mask = mask.to(wide)
        if mask.size(1) > score.size(1):
            score = score.repeat_interleave(mask.size(1) // score.size(1), dim=1)
    with torch.no_grad():
        taken = score.contiguous()
        # 0 and 1: the maximum is over what counts, not of weighted scores
        counts = None if mask is None else (mask > 0).to(wide)
        peak, _ = largest(None, taken, counts, graph, toward, relu=False)
        peak.masked_fill_(peak == -torch.inf, 0)  # nothing but -inf: exp gives 0 for all
    weight = (score - peak.index_select(0, graph.ends(toward))).clamp(max=_LARGEST_EXPONENT).exp()
    return weight if mask is None else weight * mask
