"""Matching of refitted strata to the strata before them, so that they keep their numbers."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["matched_order"]


def matched_order(new: Tensor, new_group: Tensor, old: Tensor, old_group: Tensor) -> Tensor:
    """The order of the new centres in which each stands where the old one it continues stood.

    Pairs are of one group; their number is greatest, and the sum of their squared distances least among those. New
    centres without a pair fill the places left over, then follow.

    Args:
        new: float [S', d].
        new_group: int64 [S'].
        old: float [S, d].
        old_group: int64 [S].

    Returns:
        int64 [S'], a permutation: places among the new centres.
    """
    from scipy.optimize import linear_sum_assignment  # slow to import

    cost = torch.cdist(new.double(), old.double(), compute_mode="donot_use_mm_for_euclid_dist").square()
    apart = new_group.unsqueeze(1) != old_group
    # One pair across groups must cost more than all others together, so that there is one only where it must be.
    cost = cost.masked_fill(apart, float(cost.sum()) + 1)
    rows, columns = (torch.from_numpy(side) for side in linear_sum_assignment(cost.cpu().numpy()))
    paired = ~apart.cpu()[rows, columns]
    place = torch.full((len(new),), -1)
    place[rows[paired]] = columns[paired]
    taken = torch.zeros(len(new) + len(old), dtype=torch.bool)
    taken[columns[paired]] = True
    single = place < 0
    place[single] = (~taken).nonzero().flatten()[: int(single.sum())]
    return place.argsort().to(new.device)
