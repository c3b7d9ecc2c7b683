"""Orthogonality of each patient's two codes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

from torch import Tensor

from gdsfd.errors import InputError
from gdsfd.nn.information.estimator import CodeGroup, Dependence
from gdsfd.nn.information.registry import register_information

__all__ = ["Orthogonality"]

_LEAST_LENGTH = 1e-8


@register_information("orth")
class Orthogonality(Dependence):
    r"""The mean squared cosine between a patient's causal and biased code, both centred among the rows; no unit.

    Between 0 and 1. Independent codes without a preferred direction have :math:`1 / d`, not 0, and codes of any
    dependence may have 0: this asks that the two point different ways, and says nothing about what they carry. A
    patient whose code is the mean counts as orthogonal.

    Args:
        channels_causal: Width d.
        channels_biased: The same width.
        num_suspects: Not read.

    Raises:
        InputError: Codes of different widths, or of width 1, where every cosine is 1 or -1.
    """

    bound: ClassVar[Literal["lower", "upper", "none"]] = "none"

    def __init__(self, channels_causal: int, channels_biased: int, num_suspects: Sequence[int] = ()) -> None:
        super().__init__(channels_causal, channels_biased, num_suspects)
        if channels_causal != channels_biased or channels_causal < 2:
            raise InputError(
                f"orth compares directions: it needs two codes of one width of at least 2, got {channels_causal} and "
                f"{channels_biased}; use 'xcov' or 'dcor'"
            )

    def estimate(self, group: CodeGroup) -> Tensor:
        """The mean squared cosine within one group."""
        causal, biased = group.causal - group.causal.mean(0), group.biased - group.biased.mean(0)
        product = (causal * biased).sum(1) ** 2
        lengths = (causal**2).sum(1) * (biased**2).sum(1)
        return (product / (lengths + _LEAST_LENGTH**2)).mean()
