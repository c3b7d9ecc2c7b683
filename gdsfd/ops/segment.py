"""Reductions over groups of rows, with every corner case defined here and not by a backend.

A *group* is the set of rows that carry the same index. Empty groups are 0 for every reduction (a patient without an
edge receives nothing), and ties in a maximum share its gradient evenly.
"""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["segment_max", "segment_mean", "segment_softmax", "segment_sum"]


def segment_sum(source: Tensor, index: Tensor, num_groups: int) -> Tensor:
    """Adds the rows of each group; an empty group is 0.

    Args:
        source: Rows, [E, ...].
        index: Group of each row, int64 [E], in any order.
        num_groups: Number of groups G.

    Returns:
        [G, ...].

    Example:
        >>> segment_sum(torch.tensor([1.0, 2.0, 4.0]), torch.tensor([2, 0, 2]), 3)
        tensor([2., 0., 5.])
    """
    out = source.new_zeros((num_groups, *source.shape[1:]))
    return out.index_add_(0, index, source)


def segment_mean(source: Tensor, index: Tensor, num_groups: int) -> Tensor:
    """Averages the rows of each group; an empty group is 0. See :func:`segment_sum` for the arguments.

    Example:
        >>> segment_mean(torch.tensor([1.0, 2.0, 4.0]), torch.tensor([2, 0, 2]), 3)
        tensor([2.0000, 0.0000, 2.5000])
    """
    total = segment_sum(source, index, num_groups)
    count = torch.bincount(index, minlength=num_groups).clamp_(min=1).to(source.dtype)
    return total / count.view(-1, *[1] * (source.dim() - 1))


def segment_max(source: Tensor, index: Tensor, num_groups: int) -> Tensor:
    """Largest value of each group; an empty group is 0. See :func:`segment_sum` for the arguments.

    Example:
        >>> segment_max(torch.tensor([1.0, 2.0, 4.0]), torch.tensor([2, 0, 2]), 3)
        tensor([2., 0., 4.])
    """
    out = source.new_zeros((num_groups, *source.shape[1:]))
    position = index.view(-1, *[1] * (source.dim() - 1)).expand_as(source)
    return out.scatter_reduce(0, position, source, reduce="amax", include_self=False)


def segment_softmax(score: Tensor, index: Tensor, num_groups: int) -> Tensor:
    """Softmax over the rows of each group, safe for large scores. See :func:`segment_sum` for the arguments.

    Returns:
        As ``score``; the rows of a group add up to 1.
    """
    peak = segment_max(score.detach(), index, num_groups)
    weight = (score - peak.index_select(0, index)).exp()
    return weight / segment_sum(weight, index, num_groups).index_select(0, index)
