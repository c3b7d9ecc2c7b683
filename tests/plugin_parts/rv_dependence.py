"""A measure of dependence: the RV coefficient."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from torch import Tensor

from gdsfd.nn.dependence import CodeGroup, Dependence, register_dependence
from gdsfd.setting_checks import Number


@register_dependence("rv")
class RvCoefficient(Dependence):
    """Squared covariance of two codes, relative to their own."""

    bound = "none"

    def __init__(
        self,
        channels_causal: int,
        channels_biased: int,
        num_suspects: Sequence[int] = (),
        ridge: Annotated[float, Number(0, 1)] = 1e-6,
    ) -> None:
        super().__init__(channels_causal, channels_biased, num_suspects)
        self.ridge = ridge

    def estimate(self, group: CodeGroup) -> Tensor:
        """The coefficient within one group."""
        first, second = (code - code.mean(0) for code in (group.causal, group.biased))
        between = (first.t() @ second).square().sum()
        within = (first.t() @ first).square().sum() * (second.t() @ second).square().sum()
        return between / (within.sqrt() + self.ridge)
