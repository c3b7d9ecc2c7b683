"""Means over labelled elements."""

from __future__ import annotations

from torch import Tensor

__all__ = ["mean_over_labelled"]


def mean_over_labelled(loss: Tensor, labelled: Tensor, weight: Tensor | None = None) -> Tensor:
    """Weighted mean over labelled elements; 0 with a gradient of 0 when there is none.

    Args:
        loss: One value per element, finite also where unlabelled.
        labelled: bool, as ``loss``.
        weight: As ``loss``; default 1. The divisor is the number of labelled elements: weights have mean 1 over
            training patients, and a batch of heavy ones is to count more than a batch of light ones.

    Returns:
        A scalar.
    """
    counted = labelled.to(loss.dtype)
    if weight is not None:
        counted = counted * weight
    return (loss * counted).sum() / labelled.sum().clamp(min=1)
