"""Prototypes drawn by stratified sampling."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

__all__ = ["Allocation", "Draws", "draw", "pilot"]

Allocation = Literal["proportional", "neyman", "uniform"]


@dataclass(frozen=True, eq=False)
class Draws:
    """Drawn prototypes, shared by a batch or for each of its patients.

    Args:
        ids: The stratum of each draw, int64 [T] or [B, T].
        centers: What the head reads, [T, d] or [B, T, d].
        weight: Such that the sum of weight times f over draws is on average the sum of mass times f over strata;
            [T] or [B, T].
    """

    ids: Tensor
    centers: Tensor
    weight: Tensor

    @property
    def effective_size(self) -> Tensor:
        """As many draws of equal weight say as much: (sum of weights)^2 / sum of squares; scalar or [B]."""
        return self.weight.sum(-1).square() / self.weight.square().sum(-1)


def draw(
    center: Tensor,
    spread: Tensor | None,
    mass: Tensor,
    group: Tensor,
    draws: int,
    allocation: Allocation = "proportional",
    rows: int | None = None,
    jitter: float = 0.0,
    sd: Tensor | None = None,
    generator: torch.Generator | None = None,
    score: Tensor | None = None,
) -> Draws:
    r"""Draws prototypes, stratified over groups and, within a group, over equal parts of its mass.

    A group g (a pattern of missing modalities) of mass :math:`P_g` is to have :math:`\tau_g` of the T draws:

    - ``proportional``: :math:`T P_g`;
    - ``uniform``: T over the number of groups, which is for rare groups and costs variance;
    - ``neyman``: one, and of the remaining draws in proportion to :math:`P_g \mathrm{sd}_g`; with fewer than two draws
      for each group on average, or without ``sd``, as ``proportional``.

    It gets :math:`T_g`, its :math:`\tau_g` rounded up or down at random by one shared offset, so that the mean is
    :math:`\tau_g` and the sum T. The group's mass is cut into :math:`T_g` equal parts and each draw is from one part.
    Parts are neighbours in the order of ``score``, as are groups: with a score that is near f, what is drawn stays the
    same from one time to the next as f sees it. Any score that does not depend on the draws leaves the mean unbiased.

    Weights are :math:`P_g / T_g` where every group is sure of a draw (:math:`\tau_g \ge 1` for all g): they sum to one
    and differences between groups add no variance. Otherwise they are :math:`P_g / \tau_g`; these sum to one with
    ``proportional`` (all are 1 / T), and only on average with the others.

    Args:
        center: Centres, [S, d].
        spread: Standard deviations within the strata, [S, d]; needed with ``jitter``.
        mass: P(s), summing to one, [S].
        group: The group of each stratum, int64 [S].
        draws: T.
        allocation: Of draws over groups.
        rows: None: one set of draws for all patients. A number B: a set for each of B patients.
        jitter: Standard deviations of Gaussian noise added to drawn centres.
        sd: For ``neyman``: standard deviation of f within each group, [G], or how far f in each stratum is from its
            group's mean, [S], as :func:`pilot` finds it.
        generator: Of random numbers on the device of ``center``; default: torch's global one.
        score: Something like f, [S]; default: the order strata are in.

    References:
        METHODS 2.3. Systematic rounding: Madow (1949); weights: Horvitz and Thompson (1952).

    Example:
        >>> some = draw(torch.eye(3), None, torch.tensor([0.5, 0.25, 0.25]), torch.tensor([0, 1, 1]), 4)
        >>> (some.ids == 0).sum(), some.weight
        (tensor(2), tensor([0.2500, 0.2500, 0.2500, 0.2500]))
    """
    number = 1 if rows is None else rows
    order, rank, share = _ordered(mass, group, score)
    mass = mass[order]
    wanted = _wanted(share, rank, mass, None if sd is None else _by_stratum(sd, group)[order], draws, allocation)

    ends = wanted.cumsum(0)
    ends = ends / ends[-1] * draws  # ends at T exactly, whatever the rounding of the sum
    offset = torch.rand(number, 1, device=mass.device, dtype=mass.dtype, generator=generator)
    cut = torch.floor(ends + offset)
    got = torch.diff(cut, dim=1, prepend=torch.zeros_like(offset))  # T_g, [rows, S]

    turn = torch.arange(draws, device=mass.device, dtype=mass.dtype).expand(number, draws).contiguous()
    of = torch.searchsorted(cut, turn, right=True).clamp_(max=mass.numel() - 1)  # the group of each draw, [rows, T]
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
    if rows is None:
        ids, weight = ids.squeeze(0), weight.squeeze(0)
    centers = center[ids]
    if jitter:
        assert spread is not None, "jitter needs the spread of the strata"
        noise = torch.randn(centers.shape, device=centers.device, dtype=centers.dtype, generator=generator)
        centers = torch.addcmul(centers, noise, spread[ids], value=jitter)
    return Draws(ids, centers, weight)


@torch.no_grad()
def pilot(outcome: Tensor, mass: Tensor, group: Tensor) -> tuple[Tensor, Tensor]:
    """What a few patients' predictions under all strata say of how to draw for the others.

    Args:
        outcome: Predicted probabilities, [b, S, o].
        mass: P(s), [S].
        group: int64 [S].

    Returns:
        ``sd`` and ``score`` for :func:`draw`, both [S]: the root mean square difference from the mean of the own group;
        and the mean over patients, of the output that varies most over strata.
    """
    mean = outcome.mean(0)  # [S, o]
    order, rank, share = _ordered(mass, group, None)
    ranked = torch.empty_like(rank).scatter_(0, order, rank)
    total = outcome.new_zeros(outcome.shape).index_add_(1, ranked, outcome * mass.view(1, -1, 1))
    of_group = (total / share.clamp(min=torch.finfo(share.dtype).tiny).view(1, -1, 1))[:, ranked]
    varied = (mass.unsqueeze(1) * (mean - mass @ mean).square()).sum(0).argmax(0, keepdim=True)
    return (outcome - of_group).square().mean((0, 2)).sqrt(), mean.index_select(1, varied).squeeze(1)


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


def _by_stratum(sd: Tensor, group: Tensor) -> Tensor:
    return sd if sd.numel() == group.numel() else sd[group]


def _wanted(share: Tensor, rank: Tensor, mass: Tensor, sd: Tensor | None, draws: int, allocation: Allocation) -> Tensor:
    """Mean number of draws of each group: [S], 0 where there is no group."""
    present = (share > 0).to(share.dtype)
    groups = present.sum()
    if allocation == "uniform":
        return draws * present / groups
    if allocation == "proportional" or sd is None:
        return draws * share
    need = (share * torch.zeros_like(share).index_add_(0, rank, mass * sd.square())).sqrt()  # P_g sd_g
    total = need.sum()
    need = torch.where(total > 0, need / total, share)
    return torch.where(2 * groups <= draws, present + (draws - groups) * need, draws * share)
