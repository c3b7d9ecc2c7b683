"""Generalized cross-entropy: a loss under which a network keeps to what is easy to learn."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from gdsfd.errors import InputError
from gdsfd.nn.losses.outcome_loss import mean_over_labelled

__all__ = ["generalized_cross_entropy"]


def generalized_cross_entropy(logits: Tensor, y: Tensor, q: float = 0.7, weight: Tensor | None = None) -> Tensor:
    r"""Mean generalized cross-entropy over labelled elements; 0 (with a gradient of 0) when nothing is labelled.

    With :math:`p_y` the probability of the given label,

    .. math:: L = \frac{1 - p_y^q}{q}, \qquad \nabla L = p_y^q \, \nabla (-\log p_y),

    so that elements the network already gets right count more. :math:`q \to 0` is cross-entropy, :math:`q = 1` the mean
    absolute error. Several binary outcomes are averaged. This is the true formula: implementations that weight the
    cross-entropy by a detached :math:`q\,p_y^q` have this gradient times q, and another value.

    Args:
        logits: float [B, outcomes], or [B, classes].
        y: float [B, outcomes] with NaN = unlabelled, or int64 [B] with -1 = unlabelled.
        q: Exponent, 0 < q <= 1.
        weight: Weight of each element, as ``y``; default 1.

    Returns:
        A scalar (no unit; at most 1 / q per element).

    Raises:
        InputError: ``q`` is out of range.

    References:
        Zhang and Sabuncu, NeurIPS 2018, equation 6. Its use on the biased stream: DFD (arXiv
        2601.21941), by its abstract.

    Example:
        >>> float(generalized_cross_entropy(torch.zeros(1, 1), torch.ones(1, 1), q=1.0))
        0.5
    """
    if not 0 < q <= 1:
        raise InputError(f"generalized cross-entropy: expected 0 < q <= 1, got {q}")
    if y.is_floating_point():
        labelled = ~torch.isnan(y)
        sign = torch.where(torch.where(labelled, y, 0.0) > 0.5, 1.0, -1.0)
        chance = F.logsigmoid(sign * logits)  # log p_y
    else:
        labelled = y >= 0
        chance = logits.log_softmax(-1).gather(-1, y.clamp(min=0).unsqueeze(-1)).squeeze(-1)
    return mean_over_labelled(-torch.expm1(q * chance) / q, labelled, weight)
