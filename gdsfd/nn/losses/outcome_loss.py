"""Cross-entropy for binary, multi-label and multi-class outcomes with unlabelled patients."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

__all__ = ["outcome_loss", "probabilities"]


def outcome_loss(logits: Tensor, y: Tensor) -> Tensor:
    """Mean cross-entropy over labelled elements, in nats; 0 (with a gradient of 0) when nothing is labelled.

    Args:
        logits: float [B, outcomes], or [B, classes].
        y: float [B, outcomes] with NaN = unlabelled, or int64 [B] with -1 = unlabelled.

    Returns:
        A scalar.

    Example:
        >>> outcome_loss(torch.zeros(2, 1), torch.tensor([[1.0], [float("nan")]]))
        tensor(0.6931)
    """
    if y.is_floating_point():
        labelled = ~torch.isnan(y)
        loss = F.binary_cross_entropy_with_logits(logits, torch.where(labelled, y, 0.5), reduction="none")
        return (loss * labelled).sum() / labelled.sum().clamp(min=1)
    loss = F.cross_entropy(logits, y, ignore_index=-1, reduction="sum")
    return loss / (y >= 0).sum().clamp(min=1)


def probabilities(logits: Tensor, multiclass: bool) -> Tensor:
    """Probabilities of a head's logits.

    Args:
        logits: float [B, outputs].
        multiclass: Whether the outputs are the classes of one outcome.

    Returns:
        float [B, classes] for a multi-class outcome; [B, 2] (negative, positive) for one binary outcome; [B, outcomes]
        (positive) for several.
    """
    if multiclass:
        return logits.softmax(-1)
    positive = logits.sigmoid()
    if logits.size(-1) == 1:
        return torch.cat([1 - positive, positive], dim=-1)
    return positive
