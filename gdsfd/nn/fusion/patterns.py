"""The frequent patterns of presence, and which of them any patient's pattern is closest to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from gdsfd.nn.backbones.backbone import TokenBatches

__all__ = ["frequent_patterns", "nearest_pattern", "presence_of"]


def presence_of(batches: TokenBatches) -> Tensor:
    """Who has which modality in a pass over training batches; bool [N, K]."""
    return torch.cat([layout.presence for _, layout, *_ in batches()])


def frequent_patterns(presence: Tensor, most: int, least: int = 1) -> Tensor:
    """The most frequent patterns, the most frequent first.

    Args:
        presence: Of patients; bool [N, K].
        most: Number of patterns, at most.
        least: Patients that a pattern needs; where none has so many, the most frequent one is taken all the same.

    Returns:
        1 where a pattern has a modality, else 0, and rows of -1 after the last pattern; float [most, K].

    Example:
        >>> frequent_patterns(torch.tensor([[True, False], [True, True], [True, True]]), 3)
        tensor([[ 1.,  1.],
                [ 1.,  0.],
                [-1., -1.]])
    """
    found = torch.full((most, presence.size(1)), -1.0, device=presence.device, dtype=torch.get_default_dtype())
    if len(presence):
        patterns, count = presence.unique(dim=0, return_counts=True)
        order = count.argsort(descending=True, stable=True)
        order = order[: max(int((count >= least).sum()), 1)][:most]
        found[: len(order)] = patterns[order].to(found.dtype)
    return found


def nearest_pattern(there: Tensor, patterns: Tensor) -> Tensor:
    """The pattern closest to each patient's own: itself, else the largest subset of it, else what has least beyond it.

    Args:
        there: 1 where present, else 0; float [B, K].
        patterns: Of :func:`frequent_patterns`; float [Q, K].

    Returns:
        1 at the pattern, else 0; all 0 where there is no pattern at all; float [B, Q].

    Example:
        >>> patterns = torch.tensor([[1.0, 1.0, 0.0], [1.0, 0.0, 0.0], [-1.0, -1.0, -1.0]])
        >>> nearest_pattern(torch.tensor([[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]]), patterns)
        tensor([[0., 1., 0.],
                [1., 0., 0.]])
    """
    shared, is_one = there @ patterns.clamp(min=0).t(), patterns[:, 0] >= 0
    lacking = there.sum(1, keepdim=True) - shared
    beyond = patterns.sum(1) - shared
    distance = lacking + (1 + there.size(1)) * beyond
    nearest = torch.where(is_one, distance, torch.inf).argmin(1, keepdim=True)
    places = torch.arange(len(patterns), device=there.device)
    return ((nearest == places) & is_one).to(there.dtype)
