"""Backbones by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from gdsfd.errors import InputError, near_names
from gdsfd.nn.backbones.backbone import Backbone
from gdsfd.nn.backbones.concat import ConcatBackbone
from gdsfd.nn.backbones.muse import MuseBackbone

__all__ = ["build_backbone", "known_backbones", "register_backbone"]

_BACKBONES: dict[str, type[Backbone]] = {"concat": ConcatBackbone, "muse": MuseBackbone}

BackboneType = TypeVar("BackboneType", bound=type[Backbone])


def register_backbone(name: str) -> Callable[[BackboneType], BackboneType]:
    """Class decorator that makes a user's own backbone known by name.

    Args:
        name: The name ``Debiaser(backbone=name)`` then takes.

    Raises:
        InputError: The name is taken by another class.
    """

    def register(backbone: BackboneType) -> BackboneType:
        known = _BACKBONES.get(name)
        if known is not None and known.__qualname__ != backbone.__qualname__:
            raise InputError(f"the backbone name {name!r} is taken by {known.__qualname__}; choose another")
        _BACKBONES[name] = backbone
        return backbone

    return register


def known_backbones() -> tuple[str, ...]:
    """The names that :func:`build_backbone` takes."""
    return tuple(_BACKBONES)


def build_backbone(name: str, channels: int, num_modalities: int, dropout: float = 0.25, **options: Any) -> Backbone:
    """Builds a backbone by name.

    Args:
        name: ``concat``, ``muse`` or a registered name.
        channels: Width d.
        num_modalities: Number of modalities K.
        dropout: Dropout probability.
        **options: The backbone's own options.

    Raises:
        InputError: The name is unknown, or the backbone does not take an option.
    """
    if name not in _BACKBONES:
        raise InputError(f"unknown backbone {name!r}.{near_names(name, _BACKBONES)}")
    try:
        return _BACKBONES[name](channels, num_modalities, dropout=dropout, **options)
    except TypeError as error:
        raise InputError(f"backbone {name!r} does not take these options: {error}") from error
