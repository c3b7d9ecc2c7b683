"""The mask protocol, and the registry of masks that split observations between the streams."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from gdsfd.graph.grid_layout import Layout
from gdsfd.nn.named_part import build_part, check_part
from gdsfd.registry import Registry

__all__ = ["MASKS", "Mask", "build_mask", "check_mask", "register_mask"]

MASKS: Registry[type[Mask]] = Registry("mask", ["gdsfd.nn.streams.mask_generator"])

#: Parameters of a mask that are no options: the network fills them in.
_FILLED_IN = ("channels", "num_modalities")


class Mask(nn.Module, ABC):
    """Says which part of each observation the causal stream gets; the biased stream gets the rest.

    In evaluation mode a patient's mask must not depend on who else is in the batch. What a mask keeps of training
    stands in parameters and buffers.

    Args:
        channels: Width d of tokens.
        num_modalities: Number of modalities K, or of feature nodes for a backbone of level ``cell``.
    """

    #: Whether the mask also takes a :class:`~gdsfd.graph.grid_layout.GridLayout`, with tokens [K, B, d]; see
    #: :attr:`gdsfd.nn.backbones.Backbone.takes_grid`.
    takes_grid: bool = False

    def __init__(self, channels: int, num_modalities: int) -> None:
        super().__init__()

    @abstractmethod
    def forward(self, tokens: Tensor, layout: Layout) -> Tensor:
        """The causal stream's share.

        Args:
            tokens: One token per edge, float [E, d].
            layout: The batch's edges.

        Returns:
            Above 0 and below 1; float [E, d], or [E, 1] for whole observations.
        """


#: Class decorator that makes a mask known by a name, which the debias setting ``mask`` then takes.
register_mask = MASKS.register


def check_mask(name: object, options: Mapping[str, Any]) -> type[Mask]:
    """The class of a mask; refuses an unknown name, and options that it does not take.

    Raises:
        InputError: Names what is wrong.
    """
    return check_part(MASKS, name, options, _FILLED_IN, "debias setting 'mask'")


def build_mask(name: str, channels: int, num_modalities: int, **options: Any) -> Mask:
    """Builds a mask; the arguments are those of :class:`Mask` and its own options.

    Raises:
        InputError: The name is unknown, or the mask does not take an option.
    """
    return build_part(MASKS, name, channels, num_modalities, **options)
