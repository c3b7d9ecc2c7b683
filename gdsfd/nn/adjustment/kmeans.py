"""k-means inside each of many groups at once."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["kmeans", "nearest_center", "stratum_sums"]

_PAIRS = 2**24  # of code and centre whose distances are held at once


@torch.no_grad()
def kmeans(
    codes: Tensor,
    group: Tensor,
    per_group: Tensor,
    steps: int = 20,
    generator: torch.Generator | None = None,
) -> tuple[Tensor, Tensor]:
    r"""Clusters the rows of each group among themselves, all groups in the same few tensor operations.

    Seeds are drawn as in k-means++: the first row of a group uniformly, each further one in proportion to the squared
    distance from the nearest seed so far. The draw is a race: the row with the least :math:`e_i / w_i` wins, where
    :math:`e_i` are standard exponential and :math:`w_i` the weights, which needs no sum over a group. Then Lloyd's
    steps until no row changes its centre. A group gets as many centres as it has distinct rows when those are fewer
    than asked for, and centres that lose all their rows are left out.

    Args:
        codes: Rows; float [N, d].
        group: Group of each row; int64 [N] in [0, G).
        per_group: Centres asked for in each group; int64 [G].
        steps: Most of Lloyd's steps.
        generator: Where randomness comes from; default: torch's own.

    Returns:
        Centres, float32 [S, d], and their groups, int64 [S], ascending.

    References:
        Arthur & Vassilvitskii, k-means++ (SODA 2007); Lloyd (1982).
    """
    codes = codes.float()
    seeds = _seeds(codes, group, per_group, generator)
    centers, center_group = codes[seeds], group[seeds]
    if len(seeds) == 0:
        return centers, center_group
    ids = nearest_center(codes, group, centers, center_group)
    for _ in range(steps):
        sums, filled = stratum_sums(codes, ids, len(centers))
        centers = torch.where(filled.unsqueeze(1) > 0, sums / filled.clamp(min=1).unsqueeze(1), centers)
        previous, ids = ids, nearest_center(codes, group, centers, center_group)
        if torch.equal(previous, ids):
            break
    used = torch.bincount(ids, minlength=len(centers)) > 0
    return centers[used], center_group[used]


def _seeds(codes: Tensor, group: Tensor, per_group: Tensor, generator: torch.Generator | None) -> Tensor:
    """Places of the seeds among the rows; int64 [S], ascending by group, then by turn."""
    rows, groups = torch.arange(len(codes), device=codes.device), len(per_group)
    weight = torch.ones(len(codes), device=codes.device)
    seeds, turns = [], int(per_group.max()) if len(codes) else 0
    for turn in range(turns):
        source = codes.device if generator is None else generator.device
        race = torch.empty(len(codes), device=source).exponential_(generator=generator).to(codes.device)
        race = (race / weight).masked_fill((weight <= 0) | (per_group[group] <= turn), torch.inf)
        best = race.new_full((groups,), torch.inf).scatter_reduce(0, group, race, "amin")
        wins = race.isfinite() & (race == best[group])
        winner = torch.full_like(per_group, len(codes)).scatter_reduce(0, group, rows.where(wins, len(codes)), "amin")
        found = winner < len(codes)
        seeds.append(winner[found])
        # Differences, not a matrix product: a row equal to a seed must come out at exactly zero.
        away = (codes - codes[winner.where(found, 0)][group]).square().sum(1)
        away = away.where(found[group], 0.0)
        weight = away if turn == 0 else torch.minimum(weight, away)
    if not seeds:
        return rows[:0]
    drawn = torch.cat(seeds)
    return drawn[group[drawn].argsort(stable=True)]


@torch.no_grad()
def nearest_center(codes: Tensor, group: Tensor | None, centers: Tensor, center_group: Tensor) -> Tensor:
    """The nearest centre of each row's own group: one matrix product, other groups' centres masked.

    Args:
        codes: float [B, d].
        group: Group of each row; int64 [B]. None: all centres count. A row whose group has no centre takes the nearest
            of all.
        centers: float [S, d], S > 0.
        center_group: int64 [S].

    Returns:
        int64 [B] in [0, S).
    """
    # Half precision would move rows between strata, so autocast ends here.
    with torch.autocast(codes.device.type, enabled=False):
        codes, centers = codes.float(), centers.float()
        square, block = centers.square().sum(1), max(1, _PAIRS // len(centers))
        parts = []
        for start in range(0, max(len(codes), 1), block):
            distance = torch.addmm(
                square, codes[start : start + block], centers.T, alpha=-2
            )  # less the row's own square
            if group is not None:
                other = group[start : start + block].unsqueeze(1) != center_group
                other &= ~other.all(1, keepdim=True)
                distance.masked_fill_(other, torch.inf)
            parts.append(distance.argmin(1))
    return parts[0] if len(parts) == 1 else torch.cat(parts)


@torch.no_grad()
def stratum_sums(codes: Tensor, ids: Tensor, strata: int) -> tuple[Tensor, Tensor]:
    """Sums of rows and their number by stratum, as a product with a 0/1 matrix: the same result on every run.

    Args:
        codes: float [B, d].
        ids: Stratum of each row; int64 [B].
        strata: Number of strata S.

    Returns:
        Sums float32 [S, d] and counts float32 [S].
    """
    sums = codes.new_zeros(strata, codes.size(1), dtype=torch.float)
    count = sums.new_zeros(strata)
    places, block = torch.arange(strata, device=ids.device), max(1, _PAIRS // max(strata, 1))
    with torch.autocast(codes.device.type, enabled=False):
        for start in range(0, len(codes), block):
            member = (ids[start : start + block] == places.unsqueeze(1)).float()  # [S, rows]
            sums.addmm_(member, codes[start : start + block].float())
            count += member.sum(1)
    return sums, count
