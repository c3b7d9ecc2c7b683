"""HSIC: dependence by kernels, unbiased."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

from torch import Tensor

from gdsfd.nn.dependence.centring import u_centred, u_correlation, u_covariance
from gdsfd.nn.dependence.dependence import CodeGroup, Dependence
from gdsfd.nn.dependence.gaussian_kernel import gaussian_kernel
from gdsfd.nn.dependence.registry import register_dependence

__all__ = ["Hsic"]


@register_dependence("hsic")
class Hsic(Dependence):
    r"""The Hilbert-Schmidt independence criterion with Gaussian kernels; no unit, and no bound of information.

    :math:`k(z, z') = e^{-|z - z'|^2 / (2 m^2)}` with :math:`m` the median distance among the rows. The covariance of
    the two kernel tables is estimated without bias; by default it is divided by the geometric mean of each code's own,
    which gives values up to 1, and a loss weight the same meaning at every width. The expectation is 0 if and only if
    the codes are independent; a single estimate may be below.

    Shrinking a code changes nothing: the gradient knows that the bandwidth follows.

    Args:
        channels_causal: Width d_c.
        channels_biased: Width d_b.
        num_suspects: Not read.
        normalize: Divide; otherwise the plain HSIC.

    References:
        Song et al., JMLR 13 (2012), equation 5 (the unbiased estimate); Kornblith et al., ICML 2019 (the ratio).
    """

    bound: ClassVar[Literal["lower", "upper", "none"]] = "none"
    fewest_rows: ClassVar[int] = 4

    def __init__(
        self, channels_causal: int, channels_biased: int, num_suspects: Sequence[int] = (), normalize: bool = True
    ) -> None:
        super().__init__(channels_causal, channels_biased, num_suspects)
        self.normalize = normalize

    def estimate(self, group: CodeGroup) -> Tensor:
        """The criterion within one group."""
        first, second = gaussian_kernel(group.causal), gaussian_kernel(group.biased)
        if self.normalize:
            return u_correlation(first, second)
        return u_covariance(u_centred(first), u_centred(second))
