"""Backbones by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeVar

from gdsfd.errors import InputError, near_names
from gdsfd.nn.backbones.backbone import Backbone
from gdsfd.nn.backbones.concat import ConcatBackbone
from gdsfd.nn.backbones.grape import GrapeBackbone
from gdsfd.nn.backbones.muse import MuseBackbone
from gdsfd.setting_checks import brief, check_options

__all__ = ["backbone_level", "build_backbone", "check_backbone", "known_backbones", "register_backbone"]

#: Parameters of a backbone that are no options: other settings fill them in.
_FILLED_IN = ("self", "channels", "num_modalities", "dropout")

_BACKBONES: dict[str, type[Backbone]] = {"concat": ConcatBackbone, "muse": MuseBackbone, "grape": GrapeBackbone}

BackboneType = TypeVar("BackboneType", bound=type[Backbone])


def register_backbone(name: str) -> Callable[[BackboneType], BackboneType]:
    """Class decorator that makes a user's own backbone known by name.

    Args:
        name: The name ``Debiaser(backbone=name)`` then takes.

    Raises:
        InputError: The name is taken by another class.
    """

    def register(backbone: BackboneType) -> BackboneType:
        if hasattr(backbone, "fit_states"):
            raise InputError(f"the backbone {name!r} overrides fit_states, which nothing calls: it is now fit_memory")
        known = _BACKBONES.get(name)
        if known is not None and known.__qualname__ != backbone.__qualname__:
            raise InputError(f"the backbone name {name!r} is taken by {known.__qualname__}; choose another")
        _BACKBONES[name] = backbone
        return backbone

    return register


def known_backbones() -> tuple[str, ...]:
    """The names that :func:`build_backbone` takes."""
    return tuple(_BACKBONES)


def backbone_level(name: str) -> Literal["modality", "cell"]:
    """What an edge is for a backbone (``Backbone.level``).

    Raises:
        InputError: The name is unknown.
    """
    return _known(name).level


def check_backbone(name: object, options: Mapping[str, Any]) -> None:
    """Refuses an unknown backbone, and options that it does not take.

    Args:
        name: ``concat``, ``muse``, ``grape`` or a registered name.
        options: The backbone's own options.

    Raises:
        InputError: Names what is wrong.
    """
    if not isinstance(name, str):
        raise InputError(f"backbone: expected one of {', '.join(map(repr, _BACKBONES))}, got {brief(name)}")
    check_options(options, _known(name), _FILLED_IN, f"option of the backbone {name!r}:")


def _known(name: str) -> type[Backbone]:
    if name not in _BACKBONES:
        raise InputError(f"unknown backbone {name!r}.{near_names(name, _BACKBONES)}")
    return _BACKBONES[name]


def build_backbone(name: str, channels: int, num_modalities: int, dropout: float = 0.25, **options: Any) -> Backbone:
    """Builds a backbone by name.

    Args:
        name: ``concat``, ``muse``, ``grape`` or a registered name.
        channels: Width d.
        num_modalities: Number of modalities K; of feature nodes for a backbone whose level is ``cell``.
        dropout: Dropout probability.
        **options: The backbone's own options.

    Raises:
        InputError: The name is unknown, or the backbone does not take an option.
    """
    backbone = _known(name)
    try:
        return backbone(channels, num_modalities, dropout=dropout, **options)
    except TypeError as error:
        raise InputError(f"backbone {name!r} does not take these options: {error}") from error
