"""Exchange of biased codes between the patients of a batch."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["swapped"]


def swapped(biased: Tensor) -> tuple[Tensor, Tensor]:
    """Every patient's biased code replaced by another patient's; the permutation is drawn from the global generator.

    Args:
        biased: Biased codes, [B, d].

    Returns:
        The codes in their new places, and whose they are; int64 [B]. A batch of one keeps its own.

    References:
        Counterfactual samples of DisC (NeurIPS 2022) and DisEnt (Lee et al., NeurIPS 2021).
    """
    other = torch.randperm(biased.size(0), device=biased.device)
    return biased.index_select(0, other), other
