"""Cross-entropy for binary, multi-label and multi-class outcomes with unlabelled patients."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

__all__ = ["element_loss", "mean_over_labelled", "outcome_loss", "probabilities"]


def element_loss(logits: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Cross-entropy of every element, in nats, and whether it is labelled (0 where not).

    Args:
        logits: float [B, outcomes], or [B, classes].
        y: float [B, outcomes] with NaN = unlabelled, or int64 [B] with -1 = unlabelled.

    Returns:
        Both as ``y``.
    """
    if y.is_floating_point():
        labelled = ~torch.isnan(y)
        loss = F.binary_cross_entropy_with_logits(logits, torch.where(labelled, y, 0.5), reduction="none")
        return torch.where(labelled, loss, 0.0), labelled
    return F.cross_entropy(logits, y, ignore_index=-1, reduction="none"), y >= 0


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


def outcome_loss(logits: Tensor, y: Tensor, weight: Tensor | None = None, margin: Tensor | None = None) -> Tensor:
    r"""Mean cross-entropy over labelled elements, in nats; 0 (with a gradient of 0) when nothing is labelled.

    With a margin the logits are trained as what is left of the outcome once the margin is known:
    :math:`-\log \operatorname{softmax}(z + m)_y`. With :math:`m = \log P(y | s) - \log P(y)` for declared suspects
    :math:`s` the logits come to estimate :math:`\log P(x | y) + \log P(y)`, the prediction where the outcome does not
    depend on the suspects.

    Args:
        logits: float [B, outcomes], or [B, classes].
        y: float [B, outcomes] with NaN = unlabelled, or int64 [B] with -1 = unlabelled.
        weight: Weight of each element, as ``y``, of mean 1 over training patients; default 1.
        margin: Added to the logits, as ``logits``; default 0.

    Returns:
        A scalar.

    References:
        The margin is logit adjustment (Menon et al., ICLR 2021, equation 10) per stratum, or a product of experts with
        a frozen expert (Clark et al., EMNLP 2019); its use here is our formulation.

    Example:
        >>> outcome_loss(torch.zeros(2, 1), torch.tensor([[1.0], [float("nan")]]))
        tensor(0.6931)
    """
    loss, labelled = element_loss(logits if margin is None else logits + margin, y)
    return mean_over_labelled(loss, labelled, weight)


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
