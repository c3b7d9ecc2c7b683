"""MINE: the Donsker-Varadhan bound with a corrected gradient."""

from __future__ import annotations

import math
from typing import Annotated, Any

import torch
from torch import Tensor

from gdsfd.nn.dependence.dependence import CodeGroup
from gdsfd.nn.dependence.pair_bound import PairBound, log_mean_exp_of_strangers
from gdsfd.nn.dependence.registry import register_dependence
from gdsfd.setting_checks import Number

__all__ = ["Mine"]

_MOST_CLASSES = 16


@register_dependence("mine")
class Mine(PairBound):
    r"""The Donsker-Varadhan lower bound of mutual information, in nats.

    .. math:: I(z_c; z_b) \ge E_{joint}[T] - \log E_{product}[e^T]

    The product is over all pairs of two different patients of the batch. The gradient of the logarithm has the batch's
    own mean in the denominator, which biases it; for the critic that mean is replaced by a running one, kept per class.
    The encoders get the plain gradient: it is a weighted mean, so it stays bounded when they move on and the running
    mean is not yet up to date.

    Args:
        channels_causal: Width d_c.
        channels_biased: Width d_b.
        momentum: Share of the old running mean that is kept at each critic step.
        **options: Those of :class:`PairBound`.

    References:
        Belghazi et al., ICML 2018, equations 5 and 12.
    """

    log_partition: Tensor

    def __init__(
        self,
        channels_causal: int,
        channels_biased: int,
        momentum: Annotated[float, Number(0, 1, below=True)] = 0.9,
        **options: Any,
    ) -> None:
        super().__init__(channels_causal, channels_biased, **options)
        self.momentum = momentum
        # First entry: without a condition. NaN marks one that no batch has been seen for.
        self.register_buffer("log_partition", torch.full((1 + _MOST_CLASSES,), float("nan")))

    def from_scores(self, scores: Tensor) -> Tensor:
        """The bound from scores [n, n], in nats."""
        return scores.diagonal().mean() - log_mean_exp_of_strangers(scores)

    def critic_term(self, group: CodeGroup) -> Tensor:
        """The bound turned round, with the gradient that the running partition gives."""
        scores = self.critic(group.causal, group.biased, group.label)
        joint, partition = scores.diagonal().mean(), log_mean_exp_of_strangers(scores)
        running = self._running(partition.detach(), group.label)
        descended = (partition - running).exp() - joint
        return descended + (partition - joint - descended).detach()

    def _running(self, partition: Tensor, label: int | None) -> Tensor:
        slot = 0 if label is None else 1 + min(label, _MOST_CLASSES - 1)
        old = self.log_partition[slot]
        new = torch.logaddexp(old + math.log(self.momentum), partition + math.log(1 - self.momentum))
        new = torch.where(old.isnan(), partition, new)
        if self.training:
            self.log_partition[slot] = new
        return new
