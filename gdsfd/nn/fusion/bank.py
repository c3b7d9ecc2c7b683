"""A bank of training patients that evaluation reads, so that scores depend on nobody else in the batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from gdsfd.nn.fusion.masked import masked_grid

if TYPE_CHECKING:
    from gdsfd.nn.backbones.backbone import TokenBatches

__all__ = ["near_distance", "patient_bank", "squared_distances"]


def patient_bank(batches: TokenBatches, most: int, like: Tensor) -> tuple[Tensor, Tensor]:
    """Patients at even distances in a pass over training batches.

    Args:
        batches: Starts a pass; each batch as tokens and their layout.
        most: Most patients that are kept.
        like: An empty bank, [0, K, d].

    Returns:
        Their tokens, 0 where absent, [N, K, d], and 1 where there is one, [N, K]; more than half of ``most`` where
        there are as many patients.
    """
    tokens, there, stride, seen = like, like[..., 0], 1, 0
    for values, layout, *_ in batches():
        grid, has = masked_grid(values, layout)
        first = -seen % stride
        seen += len(grid)
        tokens, there = torch.cat([tokens, grid[first::stride]]), torch.cat([there, has[first::stride]])
        while len(tokens) > most:
            tokens, there, stride = tokens[::2], there[::2], 2 * stride
    return tokens, there


def squared_distances(first: Tensor, second: Tensor) -> Tensor:
    """Squared Euclidean distances of rows; [B, d] and [N, d] to [B, N], never negative."""
    product = first @ second.t()
    lengths = first.square().sum(1, keepdim=True) + second.square().sum(1)
    return (lengths - 2 * product).clamp(min=0)


def near_distance(tokens: Tensor, there: Tensor, otherwise: Tensor, share: float = 0.1, most: int = 256) -> Tensor:
    """The squared distance that a share of all pairs of patients lies below, of each modality.

    Args:
        tokens: [N, K, d], 0 where absent.
        there: 1 where present, else 0; [N, K].
        otherwise: For a modality that fewer than two have, or where the distance is 0; [K].
        share: Of the pairs of two different patients.
        most: Patients that are looked at, the first.

    Returns:
        [K].
    """
    found = otherwise.clone()
    for k in range(tokens.size(1)):
        mine = tokens[there[:, k] > 0, k][:most]
        if len(mine) > 1:
            pairs = torch.ones(len(mine), len(mine), dtype=torch.bool, device=mine.device).triu(1)
            near = squared_distances(mine, mine)[pairs].quantile(share)
            found[k] = torch.where(near > 0, near, otherwise[k])
    return found
