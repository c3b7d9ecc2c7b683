"""Backbones by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeVar

from gdsfd.errors import InputError, near_names
from gdsfd.nn.backbones.backbone import Backbone
from gdsfd.nn.backbones.concat import ConcatBackbone
from gdsfd.nn.backbones.grape import GrapeBackbone
from gdsfd.nn.backbones.muse import MuseBackbone

__all__ = ["backbone_level", "build_backbone", "known_backbones", "register_backbone"]

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
