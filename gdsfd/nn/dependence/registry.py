"""Estimators of shared content by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from gdsfd.errors import InputError, near_names
from gdsfd.nn.dependence.dependence import Dependence
from gdsfd.setting_checks import brief, check_options

__all__ = ["build_dependence", "check_dependence", "known_dependence", "register_dependence"]

#: Parameters of an estimator that are no options: the training sets them.
_FILLED_IN = ("self", "channels_causal", "channels_biased", "num_suspects")

_ESTIMATORS: dict[str, type[Dependence]] = {}

EstimatorType = TypeVar("EstimatorType", bound=type[Dependence])


def register_dependence(name: str) -> Callable[[EstimatorType], EstimatorType]:
    """Class decorator that makes an estimator known by name.

    Args:
        name: The name that :func:`build_dependence` then takes.

    Raises:
        InputError: The name is taken by another class.
    """

    def register(estimator: EstimatorType) -> EstimatorType:
        known = _ESTIMATORS.get(name)
        if known is not None and known.__qualname__ != estimator.__qualname__:
            raise InputError(f"the estimator name {name!r} is taken by {known.__qualname__}; choose another")
        _ESTIMATORS[name] = estimator
        return estimator

    return register


def known_dependence() -> tuple[str, ...]:
    """The names that :func:`build_dependence` takes."""
    return tuple(_ESTIMATORS)


def check_dependence(name: object, options: Mapping[str, Any]) -> None:
    """Refuses an unknown estimator, and options that it does not take.

    Args:
        name: One of :func:`known_dependence`, or ``"none"``, which takes no options.
        options: The estimator's own options.

    Raises:
        InputError: Names what is wrong.
    """
    if name == "none":
        if options:
            raise InputError(
                f"debias setting 'information_options': information='none' takes none, got {brief(options)}"
            )
        return
    if name not in _ESTIMATORS:
        known = ["none", *_ESTIMATORS]
        raise InputError(f"unknown estimator of information {brief(name)}.{near_names(str(name), known)}")
    check_options(options, _ESTIMATORS[str(name)], _FILLED_IN, f"option of the estimator {name!r}:")


def build_dependence(
    name: str, channels_causal: int, channels_biased: int, num_suspects: Sequence[int] = (), **options: Any
) -> Dependence:
    """Builds an estimator of how much two codes share.

    Args:
        name: One of :func:`known_dependence`.
        channels_causal: Width d_c of the causal code.
        channels_biased: Width d_b of the biased code.
        num_suspects: Levels of each declared suspect; only adversaries read them.
        **options: The estimator's own options.

    Raises:
        InputError: The name is unknown, or the estimator does not take an option.

    Example:
        >>> import torch
        >>> x = torch.arange(6.0).unsqueeze(1)
        >>> round(float(build_dependence("dcor", 1, 1)(x, 2 - 3 * x)), 4)
        1.0
    """
    if name not in _ESTIMATORS:
        raise InputError(f"unknown estimator of information {name!r}.{near_names(name, _ESTIMATORS)}")
    try:
        return _ESTIMATORS[name](channels_causal, channels_biased, num_suspects=num_suspects, **options)
    except TypeError as error:
        raise InputError(f"the estimator {name!r} does not take these options: {error}") from error
