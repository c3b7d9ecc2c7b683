"""Random parts of what a patient has."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["proper_subset"]


def proper_subset(there: Tensor) -> Tensor:
    """Draws for each patient some, but not all, of the modalities the patient has.

    First the size, uniform from 1 to one less than there are, then the set, uniform among those of that size. Draws
    from the global generator. Who has fewer than two modalities keeps them all.

    Args:
        there: 1 where present, else 0; float [B, K].

    Returns:
        The same for what is kept; float [B, K].
    """
    count = there.sum(1, keepdim=True)
    drawn = torch.rand_like(there)
    place = torch.where(there > 0, drawn, 2.0).argsort(1).argsort(1)  # present ones first, in random order
    size = 1 + (torch.rand_like(count) * (count - 1)).floor().clamp(min=0)
    size = torch.where(count < 2, count, torch.minimum(size, count - 1))
    return there * (place < size)
