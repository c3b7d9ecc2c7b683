"""The code that modalities have in common, channel by channel as probabilities, and how far they lie apart."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from gdsfd.nn.fusion.masked import masked_mean

__all__ = ["common_code", "divergence"]


def common_code(codes: Tensor, there: Tensor) -> Tensor:
    r"""The logit of the mean probability, :math:`\bar s = \mathrm{logit}(\operatorname{mean}^m_k \sigma(s_k))`.

    Args:
        codes: [B, K, d].
        there: 1 where present, else 0; [B, K].

    Returns:
        [B, d]; 0 for a patient with nothing.
    """
    absent = there.unsqueeze(2) == 0
    low = torch.finfo(codes.dtype).min / 4
    positive = F.logsigmoid(codes)
    yes, no = (torch.logsumexp(each.masked_fill(absent, low), 1) for each in (positive, positive - codes))
    return torch.where(there.any(1, keepdim=True), yes - no, 0.0)


def divergence(codes: Tensor, there: Tensor, shared: Tensor | None = None) -> Tensor:
    r"""Jensen-Shannon divergence of the channels' probabilities, in nats.

    :math:`H(\operatorname{mean}^m_k p_k) - \operatorname{mean}^m_k H(p_k)`, with H the Bernoulli
    entropy, of both halves: unchanged under :math:`p \to 1 - p`.

    Args:
        codes: Logits; [B, K, d].
        there: 1 where present, else 0; [B, K].
        shared: Their :func:`common_code`, where it has been worked out already.

    Returns:
        The mean over channels and patients with two modalities or more, 0 to log 2; 0 where there is no such patient.
    """

    def entropy(logits: Tensor) -> Tensor:
        return F.softplus(logits) - logits * torch.sigmoid(logits)

    shared = common_code(codes, there) if shared is None else shared
    apart = entropy(shared) - masked_mean(entropy(codes), there)
    several = (there.sum(1) > 1).to(codes.dtype)
    return (apart.mean(1) * several).sum() / several.sum().clamp(min=1)
