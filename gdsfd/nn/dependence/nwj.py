"""NWJ: the lower bound without a logarithm."""

from __future__ import annotations

from torch import Tensor

from gdsfd.nn.dependence.pair_bound import PairBound, log_mean_exp_of_strangers
from gdsfd.nn.dependence.registry import register_dependence

__all__ = ["Nwj"]


@register_dependence("nwj")
class Nwj(PairBound):
    r"""The bound of Nguyen, Wainwright and Jordan, in nats.

    .. math:: I(z_c; z_b) \ge E_{joint}[T] - E_{product}[e^{T - 1}]

    Both terms are plain means, so that value and gradient are unbiased for a given critic; in exchange the variance is
    larger than MINE's, and it grows exponentially with the information.

    References:
        Nguyen, Wainwright and Jordan, IEEE Transactions on Information Theory 56 (2010); Poole et al., ICML 2019,
        equation 4.
    """

    def from_scores(self, scores: Tensor) -> Tensor:
        """The bound from scores [n, n], in nats."""
        return scores.diagonal().mean() - (log_mean_exp_of_strangers(scores) - 1).exp()
