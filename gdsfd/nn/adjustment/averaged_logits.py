"""Averages of predictions over strata, computed on logits."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

__all__ = ["adjusted_logits", "logit_spread"]


def adjusted_logits(logits: Tensor, weight: Tensor, multiclass: bool) -> Tensor:
    r"""Logits of averaged probabilities.

    Of a binary outcome :math:`\log \sum_s P_s \sigma(l_s) - \log \sum_s P_s \sigma(-l_s)`, of classes
    :math:`\log \sum_s P_s \operatorname{softmax}(l_s)`, both without leaving the logarithm.

    Args:
        logits: [B, S, o].
        weight: Masses of strata [S], or weights of draws [T] or [B, T]; those that do not sum to one are normalised by
            what follows (a sigmoid or a softmax).
        multiclass: Whether the outputs are classes of one outcome.

    Returns:
        float [B, o].

    Example:
        >>> adjusted_logits(torch.tensor([[[0.0], [2.0]]]), torch.tensor([1.0, 0.0]), False)
        tensor([[0.]])
    """
    logits = logits if logits.dtype == torch.float64 else logits.float()
    part = weight.to(logits.dtype).log().unsqueeze(-1)  # [S, 1] or [B, T, 1]
    if multiclass:
        return torch.logsumexp(F.log_softmax(logits, -1) + part, dim=1)
    positive = F.logsigmoid(logits) + part
    return torch.logsumexp(positive, dim=1) - torch.logsumexp(positive - logits, dim=1)


def logit_spread(logits: Tensor, weight: Tensor) -> Tensor:
    """Standard deviation of each patient's logits over strata or draws.

    Args:
        logits: [B, S, o].
        weight: [S], [T] or [B, T].

    Returns:
        float [B, o].
    """
    part = weight / weight.sum(-1, keepdim=True)
    part = part.expand(logits.size(0), -1).unsqueeze(1)  # [B, 1, S]
    mean = part @ logits
    return (part @ (logits - mean).square()).squeeze(1).sqrt()
