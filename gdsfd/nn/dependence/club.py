"""CLUB: the contrastive upper bound."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal

import torch
from torch import Tensor

from gdsfd.nn.dependence.code_network import CodeNetwork
from gdsfd.nn.dependence.dependence import CodeGroup
from gdsfd.nn.dependence.learned import LearnedDependence, frozen_call
from gdsfd.nn.dependence.registry import register_dependence
from gdsfd.nn.dependence.running_scale import RunningScale
from gdsfd.setting_checks import Number, Whole

__all__ = ["Club"]


@register_dependence("club")
class Club(LearnedDependence):
    r"""An upper bound of mutual information, in nats, as far as its Gaussian fits.

    .. math:: I(z_c; z_b) \le E_{joint}[\log q(z_b | z_c)] - E_{product}[\log q(z_b | z_c)]

    with :math:`q` a Gaussian of diagonal covariance whose mean and log-variance a network reads from :math:`z_c`,
    fitted by maximum likelihood. It is a bound when :math:`q` is the true conditional; a poor :math:`q` may fall below.
    It is not tight either: for Gaussians of correlation :math:`\rho` it is :math:`\rho^2 / (1 - \rho^2)` per dimension
    where the truth is :math:`-\log(1 - \rho^2) / 2`. At independence it is 0, and minimising leads there.

    Tolerance: on correlated Gaussians of 1, 4 and 16 channels, after 200 steps of Adam (rate 5e-3, falling) on 256
    fresh rows each, within 0.02 nats and 10 % of that value.

    Averaged over all partners, a Gaussian's log-density needs only the partners' first two moments: the full form costs
    O(n d), as little as the sampled one, without its noise.

    Args:
        channels_causal: Width d_c.
        channels_biased: Width d_b.
        num_suspects: Not read.
        sampled: One random partner per patient (drawn from torch's generator) in place of all.
        hidden: Width of the network's hidden layers.
        limit: The log-variance on the running scale stays within :math:`\pm` ``limit``. The default, 5, makes a
            variance of at least 0.7 % of the code's, which a correlation above .996 would need.
        floor: Nats below which nothing is descended.

    References:
        Cheng et al., ICML 2020, equations 7 and 13 (with the patient itself left out of its partners).
    """

    bound: ClassVar[Literal["lower", "upper", "none"]] = "upper"

    def __init__(
        self,
        channels_causal: int,
        channels_biased: int,
        num_suspects: Sequence[int] = (),
        sampled: bool = False,
        hidden: Annotated[int, Whole(1, 4096)] = 64,
        limit: Annotated[float, Number(0, 1000, above=True)] = 5.0,
        floor: Annotated[float, Number(-1000, 1000)] = -1.0,
    ) -> None:
        super().__init__(channels_causal, channels_biased, num_suspects, floor)
        self.sampled = sampled
        self.limit = limit
        self.critic = CodeNetwork(channels_causal, 2 * channels_biased, hidden)
        self.target = RunningScale(channels_biased)

    def estimate(self, group: CodeGroup) -> Tensor:
        """The bound within one group, in nats."""
        mean, log_variance = self._gaussian(frozen_call(self.critic, group.causal, group.label))
        biased, precision = self.target(group.biased), (-log_variance).exp()
        # The normalising constant is the same for a patient's own code and for a partner's, and drops out.
        own = (biased - mean) ** 2
        others = self._partners(biased, mean)
        return ((others - own) * precision).sum(1).mean() / 2

    def _partners(self, biased: Tensor, mean: Tensor) -> Tensor:
        """Squared distance of the partners' codes from each patient's mean, [n, d_b]."""
        n = biased.size(0)
        if self.sampled:
            order = torch.randperm(n, device=biased.device)
            partner = torch.empty_like(order)
            partner[order] = order.roll(1)  # a single cycle: nobody is their own partner
            return (biased[partner] - mean) ** 2
        first = (biased.sum(0) - biased) / (n - 1)
        second = ((biased**2).sum(0) - biased**2) / (n - 1)
        return second - 2 * mean * first + mean**2

    def critic_term(self, group: CodeGroup) -> Tensor:
        """The Gaussian's negative log-likelihood per patient, in nats on the running scale."""
        mean, log_variance = self._gaussian(self.critic(group.causal, group.label))
        squared = (self.target(group.biased) - mean) ** 2
        return ((squared * (-log_variance).exp() + log_variance + math.log(2 * math.pi)) / 2).sum(1).mean()

    def _gaussian(self, output: Tensor) -> tuple[Tensor, Tensor]:
        mean, raw = output.chunk(2, dim=1)
        return mean, self.limit * torch.tanh(raw / self.limit)

    def scales(self) -> tuple[RunningScale, RunningScale | None]:
        """Of what the Gaussian is conditioned on, and of what it describes."""
        return self.critic.scale, self.target
