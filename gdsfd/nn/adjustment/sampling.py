"""Stratified sampling of prototypes."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

__all__ = ["Draws", "draw", "order_of_strata"]


@dataclass(frozen=True, eq=False)
class Draws:
    """Drawn prototypes, one set shared by a batch or several.

    Args:
        ids: The stratum of each draw, int64 [T] or [sets, T].
        centers: What the head reads, [T, d] or [sets, T, d].
        weight: Such that the sum of weight times f over draws is on average the sum of mass times f over strata;
            [T] or [sets, T].
    """

    ids: Tensor
    centers: Tensor
    weight: Tensor


def draw(
    center: Tensor,
    mass: Tensor,
    group: Tensor,
    draws: int,
    generator: torch.Generator | None = None,
    score: Tensor | None = None,
    sets: int | None = None,
) -> Draws:
    r"""Draws prototypes, stratified over groups and, within a group, over equal parts of its mass.

    A group g (a pattern of missing modalities) of mass :math:`P_g` is to have :math:`\tau_g = T P_g` of the T draws.
    It gets :math:`T_g`, its :math:`\tau_g` rounded up or down at random by one shared offset, so that the mean is
    :math:`\tau_g` and the sum T. The group's mass is cut into :math:`T_g` equal parts and each draw is from one part.
    Parts are neighbours in the order of ``score``, as are groups: with a score that is near f, what is drawn stays the
    same from one time to the next as f sees it. Any score that does not depend on the draws leaves the mean unbiased.

    Weights are :math:`P_g / T_g` where every group is sure of a draw (:math:`\tau_g \ge 1` for all g), so that
    differences between groups add no variance, and 1 / T otherwise. Either way they sum to one.

    Args:
        center: Centres, [S, d].
        mass: P(s), summing to one, [S].
        group: The group of each stratum, int64 [S].
        draws: T.
        generator: Of random numbers on the device of ``center``; default: torch's global one.
        score: Something like f, [S]; default: the order strata are in.
        sets: None: one set of draws. A number: as many, independent of each other.

    References:
        METHODS 2.3. Systematic rounding: Madow (1949); weights: Horvitz and Thompson (1952).

    Example:
        >>> some = draw(torch.eye(3), torch.tensor([0.5, 0.25, 0.25]), torch.tensor([0, 1, 1]), 4)
        >>> (some.ids == 0).sum(), some.weight
        (tensor(2), tensor([0.2500, 0.2500, 0.2500, 0.2500]))
    """
    order, rank, share = _ordered(mass, group, score)
    mass = mass[order]
    wanted = draws * share

    ends = wanted.cumsum(0)
    ends = ends / ends[-1] * draws  # ends at T exactly, whatever the rounding of the sum
    number = 1 if sets is None else sets
    offset = torch.rand(number, 1, device=mass.device, dtype=mass.dtype, generator=generator)
    cut = torch.floor(ends + offset)
    got = torch.diff(cut, dim=1, prepend=torch.zeros_like(offset))  # T_g, [sets, S]

    turn = torch.arange(draws, device=mass.device, dtype=mass.dtype).expand(number, draws).contiguous()
    of = torch.searchsorted(cut, turn, right=True).clamp_(max=mass.numel() - 1)  # the group of each draw, [sets, T]
    place = torch.rand(number, draws, device=mass.device, dtype=mass.dtype, generator=generator)
    place = (turn - (cut - got).gather(1, of) + place) / got.gather(1, of)  # in [0, 1) of the group's mass
    total = mass.cumsum(0)
    size = torch.zeros_like(rank).index_add_(0, rank, torch.ones_like(rank))
    last = size.cumsum(0)
    begin = torch.cat([total.new_zeros(1), total])[last - size]
    picked = torch.searchsorted(total, begin[of] + place * share[of], right=True)
    picked = torch.minimum(torch.maximum(picked, (last - size)[of]), last[of] - 1)  # rounding must not leave the group

    sure = ((wanted >= 1) | (share == 0)).all()
    weight = share[of] / torch.where(sure, got.gather(1, of), wanted[of])
    ids = order[picked]
    if sets is None:
        ids, weight = ids.squeeze(0), weight.squeeze(0)
    return Draws(ids, center[ids], weight)


@torch.no_grad()
def order_of_strata(outcome: Tensor, mass: Tensor) -> Tensor:
    """What a few patients' predictions under all strata say of the order to draw in, for the others.

    Args:
        outcome: Predicted probabilities, [b, S, o].
        mass: P(s), [S].

    Returns:
        ``score`` for :func:`draw`, [S]: the mean over patients, of the output that varies most over strata.
    """
    mean = outcome.mean(0)  # [S, o]
    varied = (mass.unsqueeze(1) * (mean - mass @ mean).square()).sum(0).argmax(0, keepdim=True)
    return mean.index_select(1, varied).squeeze(1)


def _ordered(mass: Tensor, group: Tensor, score: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
    """The order strata are drawn in, group by group; the number of the group at each place; the mass of each group.

    Groups are renumbered 0, 1, ... without asking the device how many there are: [S] is room for all of them.
    """
    order = torch.sort(group, stable=True).indices
    rank = _runs(group[order])
    share = torch.zeros_like(mass).index_add_(0, rank, mass[order])
    if score is None:
        return order, rank, share
    value = score.to(mass.dtype)[order]
    mean = torch.zeros_like(mass).index_add_(0, rank, mass[order] * value) / share  # NaN, sorted last: no such group
    place = mean.argsort().argsort()[rank]
    by_value = value.argsort()
    order = order[by_value][torch.sort(place[by_value], stable=True).indices]
    rank = _runs(group[order])
    return order, rank, torch.zeros_like(mass).index_add_(0, rank, mass[order])


def _runs(sorted_group: Tensor) -> Tensor:
    return torch.cat([sorted_group.new_zeros(1), (sorted_group[1:] != sorted_group[:-1]).cumsum(0)])
