"""The registry of dependence measures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gdsfd.errors import InputError
from gdsfd.nn.dependence.dependence import Dependence
from gdsfd.nn.named_part import build_part, check_part
from gdsfd.registry import Registry
from gdsfd.setting_checks import brief

__all__ = ["DEPENDENCE", "build_dependence", "check_dependence", "known_dependence", "register_dependence"]

#: Parameters of a measure that are no options: the training sets them.
_FILLED_IN = ("channels_causal", "channels_biased", "num_suspects")

DEPENDENCE: Registry[type[Dependence]] = Registry("dependence measure", ["gdsfd.nn.dependence"])

#: Class decorator that makes a measure known by a name, which the debias setting ``information`` then takes.
register_dependence = DEPENDENCE.register

#: The names that :func:`build_dependence` takes.
known_dependence = DEPENDENCE.names


def check_dependence(name: object, options: Mapping[str, Any]) -> None:
    """Refuses an unknown measure, and options that it does not take.

    Args:
        name: One of :func:`known_dependence`, or ``"none"``, which takes no options.
        options: The measure's own options.

    Raises:
        InputError: Names what is wrong.
    """
    if name == "none":
        if options:
            raise InputError(
                f"debias setting 'information_options': information='none' takes none, got {brief(options)}"
            )
        return
    check_part(DEPENDENCE, name, options, _FILLED_IN, "debias setting 'information'")


def build_dependence(
    name: str, channels_causal: int, channels_biased: int, num_suspects: Sequence[int] = (), **options: Any
) -> Dependence:
    """Builds a measure of how much two codes share.

    Args:
        name: One of :func:`known_dependence`.
        channels_causal: Width d_c of the causal code.
        channels_biased: Width d_b of the biased code.
        num_suspects: Levels of each declared suspect; only adversaries read them.
        **options: The measure's own options.

    Raises:
        InputError: The name is unknown, or the measure does not take an option.

    Example:
        >>> import torch
        >>> x = torch.arange(6.0).unsqueeze(1)
        >>> round(float(build_dependence("dcor", 1, 1)(x, 2 - 3 * x)), 4)
        1.0
    """
    return build_part(DEPENDENCE, name, channels_causal, channels_biased, num_suspects=num_suspects, **options)
