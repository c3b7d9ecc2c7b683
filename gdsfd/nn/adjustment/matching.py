"""Pairs strata with the ones before them, and empty ones with patients to start again from."""

from __future__ import annotations

import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor

__all__ = ["farthest_rows", "matched_order"]


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


def farthest_rows(distance: Tensor, group: Tensor, empty: Tensor, stratum_group: Tensor) -> Tensor:
    """For each empty stratum a row of its group: the farthest for the group's first, the next for its second ...

    Args:
        distance: Of each row from its centre; float [B]. A row at its centre is not used.
        group: Group of each row; int64 [B].
        empty: bool [S].
        stratum_group: Group of each stratum; int64 [S].

    Returns:
        int64 [S]; -1 for a stratum that is not empty or finds no row.
    """
    order = distance.argsort(descending=True, stable=True)
    order = order[group[order].argsort(stable=True)]  # by group, the farthest first
    ordered = group[order]
    turn = torch.arange(len(order), device=order.device) - torch.searchsorted(ordered, ordered)
    earlier = torch.tril((stratum_group.unsqueeze(1) == stratum_group) & empty, diagonal=-1).sum(1)
    fits = (stratum_group.unsqueeze(1) == ordered) & (earlier.unsqueeze(1) == turn) & (distance[order] > 0)
    fits &= empty.unsqueeze(1)
    return torch.where(fits.any(1), order[fits.int().argmax(1)], -1)
