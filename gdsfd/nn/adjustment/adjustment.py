"""Predictions averaged over strata: the back-door adjustment, and its approximations."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gdsfd.nn.adjustment.fusion import Fusion
from gdsfd.nn.adjustment.sampling import Allocation, Draws, draw, pilot

__all__ = ["Adjustment", "AttentionScore", "adjusted_logits", "logit_spread"]

#: Patients whose predictions under all strata order the strata before drawing.
_PILOT = 16

Estimator = Literal["exact", "sampled", "nwgm", "attention"]


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


class AttentionScore(nn.Module):
    r"""Weights of strata that depend on the patient: :math:`w_s \propto P(s) \exp(q(z)^\top k(c_s) / \sqrt{h})`.

    Args:
        channels: Width of a code and of a centre.
        hidden: Width h of queries and keys.
    """

    def __init__(self, channels: int, hidden: int = 32) -> None:
        super().__init__()
        self.query = nn.Linear(channels, hidden)
        self.key = nn.Linear(channels, hidden, bias=False)

    def forward(self, code: Tensor, center: Tensor, mass: Tensor) -> Tensor:
        """Weights, summing to one over strata: [B, S]."""
        score = self.query(code) @ self.key(center).t() / self.key.out_features**0.5
        return torch.softmax(score + mass.log(), dim=-1)


class Adjustment(nn.Module):
    r"""The average of a head over strata, :math:`\sum_s P(s) f(z, c_s)`.

    Args:
        estimator: ``exact``: over all strata. ``sampled``: over draws in training, over all strata in evaluation and
            where there are no more of them than draws.
            ``nwgm``: the head at the mean centre. ``attention``: the head at a mean centre with weights that depend on
            the patient, which is no intervention.
        channels: Width of codes and centres.
        multiclass: Whether the outputs are classes of one outcome.
        draws: See :func:`~gdsfd.nn.adjustment.sampling.draw`, as for the rest.
        allocation: Of draws over groups.
        per_patient: Whether every patient has draws of its own.
        jitter: Of drawn centres.
    """

    def __init__(
        self,
        estimator: Estimator = "exact",
        channels: int = 128,
        multiclass: bool = False,
        draws: int = 8,
        allocation: Allocation = "proportional",
        per_patient: bool = False,
        jitter: float = 0.0,
    ) -> None:
        super().__init__()
        self.estimator, self.multiclass = estimator, multiclass
        self.draws, self.allocation, self.per_patient, self.jitter = draws, allocation, per_patient, jitter
        self.score = AttentionScore(channels) if estimator == "attention" else None

    def forward(
        self,
        fusion: Fusion,
        code: Tensor,
        center: Tensor,
        mass: Tensor,
        group: Tensor | None = None,
        spread: Tensor | None = None,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Logits of the averaged prediction.

        Args:
            fusion: The head.
            code: Patients' codes, [B, d].
            center: Centres of strata, [S, d].
            mass: P(s), [S].
            group: Group of each stratum, int64 [S]; only ``sampled`` reads it (None: one group).
            spread: Standard deviations within strata, [S, d]; only ``sampled`` with jitter reads them.
            generator: Of draws.

        Returns:
            float [B, o].
        """
        if self.estimator == "nwgm":
            mean = (mass @ center).expand(code.size(0), -1)
            return fusion.own(code, mean)
        if self.score is not None:
            return fusion.own(code, self.score(code, center, mass) @ center)
        weight = mass
        if self.estimator == "sampled" and self.training and self._drawn(code, center):
            drawn = self.sample(fusion, code, center, mass, group, spread, generator)
            center, weight = drawn.centers, drawn.weight
        return adjusted_logits(fusion(code, center), weight, self.multiclass)

    @torch.no_grad()
    def sample(
        self,
        fusion: Fusion,
        code: Tensor,
        center: Tensor,
        mass: Tensor,
        group: Tensor | None = None,
        spread: Tensor | None = None,
        generator: torch.Generator | None = None,
    ) -> Draws:
        """The draws of one step, in the order of what the first patients are predicted under each stratum.

        The arguments are those of :meth:`forward`.
        """
        group = torch.zeros_like(mass, dtype=torch.int64) if group is None else group
        logits = fusion.pairs(code[:_PILOT], center)  # without dropout
        outcome = logits.softmax(-1) if self.multiclass else logits.sigmoid()
        sd, score = pilot(outcome.to(mass.dtype), mass, group)
        rows = code.size(0) if self.per_patient else None
        return draw(center, spread, mass, group, self.draws, self.allocation, rows, self.jitter, sd, generator, score)

    def _drawn(self, code: Tensor, center: Tensor) -> bool:
        return code.size(0) > 0 and (center.size(0) > self.draws or self.jitter > 0)

    def extra_repr(self) -> str:
        return f"{self.estimator}, draws={self.draws}" if self.estimator == "sampled" else self.estimator
