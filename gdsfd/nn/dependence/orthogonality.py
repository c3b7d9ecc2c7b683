"""Orthogonality of each patient's two codes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

import torch
from torch import Tensor

from gdsfd.errors import InputError
from gdsfd.nn.dependence.dependence import CodeGroup, Dependence
from gdsfd.nn.dependence.registry import register_dependence

__all__ = ["Orthogonality"]

_LEAST_LENGTH = 1e-8
_ROUNDING = 1e-6


@register_dependence("orth")
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
        return ((_directions(group.causal) * _directions(group.biased)).sum(1) ** 2).mean()


def _directions(codes: Tensor) -> Tensor:
    """Unit vectors from the mean to each code; 0 for a code that is the mean but for rounding."""
    centred = codes - codes.mean(0)
    squared = (centred**2).sum(1, keepdim=True)
    points = squared.detach() > _LEAST_LENGTH**2 + _ROUNDING**2 * (codes.detach() ** 2).sum(1).mean()
    return torch.where(points, centred / torch.where(points, squared, 1.0).sqrt(), 0 * centred)
