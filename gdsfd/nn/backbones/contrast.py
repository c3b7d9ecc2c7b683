"""Contrastive losses between two views of the same patients."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from gdsfd.ops import linear

__all__ = ["contrastive_loss"]


def contrastive_loss(first: Tensor, second: Tensor, y: Tensor, temperature: float) -> Tensor:
    r"""Half an unsupervised and half a supervised contrastive loss, in nats.

    The unsupervised half is InfoNCE: each patient must find itself among the other view's patients. The supervised half
    asks of every pair of labelled patients whether their labels are the same, by binary cross-entropy on the cosine.
    Unlabelled patients take part in the first half only; a batch with fewer than two labelled patients has no second.

    Args:
        first: Unit vectors of the full view, [B, d].
        second: Unit vectors of the other view, [B, d].
        y: Labels: float [B, outcomes] with NaN = unlabelled, or long [B] with -1 = unlabelled.
        temperature: Divides the cosines.

    Returns:
        A scalar.

    References:
        MUSE (ICLR 2024), the sum of its unsupervised and supervised contrastive losses.
    """
    if first.size(0) < 2:
        return first.sum() * 0
    cosine = linear(first, second) / temperature
    target = torch.arange(first.size(0), device=first.device)
    unsupervised = (F.cross_entropy(cosine, target) + F.cross_entropy(cosine.t(), target)) / 2
    return (unsupervised + _same_label_loss(first, cosine, y, temperature)) / 2


def _same_label_loss(first: Tensor, across: Tensor, y: Tensor, temperature: float) -> Tensor:
    """``across``: the two views' cosines over the temperature, [B, B]."""
    labels = y.unsqueeze(-1) if y.dim() == 1 else y
    labelled = (labels >= 0).all(-1) if not labels.is_floating_point() else ~torch.isnan(labels).any(-1)
    if not bool(labelled.all()):
        first, across, labels = first[labelled], across[labelled][:, labelled], labels[labelled]
    if labels.size(0) < 2:
        return first.sum() * 0
    same = (labels.unsqueeze(0) == labels.unsqueeze(1)).all(-1).to(first.dtype)
    others = 1 - torch.eye(labels.size(0), device=first.device, dtype=first.dtype)
    within = linear(first, first) / temperature
    loss = sum(
        F.binary_cross_entropy_with_logits(cosine, same, weight=others, reduction="sum") for cosine in (within, across)
    )
    return loss / (2 * others.sum())
