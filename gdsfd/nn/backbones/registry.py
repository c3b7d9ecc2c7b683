"""The registry of backbones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeVar

from gdsfd.errors import InputError
from gdsfd.nn.backbones.backbone import Backbone
from gdsfd.nn.named_part import build_part, check_part
from gdsfd.registry import Registry
from gdsfd.setting_checks import brief

__all__ = [
    "BACKBONES",
    "backbone_level",
    "build_backbone",
    "check_backbone",
    "known_backbones",
    "register_backbone",
]

#: Parameters of a backbone that are no options: other settings fill them in.
_FILLED_IN = ("channels", "num_modalities", "dropout")

BACKBONES: Registry[type[Backbone]] = Registry("backbone", ["gdsfd.nn.backbones"])

BackboneType = TypeVar("BackboneType", bound=type[Backbone])


def register_backbone(name: str) -> Callable[[BackboneType], BackboneType]:
    """Class decorator that makes a user's own backbone known by name.

    Args:
        name: The name ``Debiaser(backbone=name)`` then takes.

    Raises:
        InputError: The name is taken by another class, or the class overrides ``fit_states``, which is now
            :meth:`Backbone.fit_memory`.
    """

    def declare(backbone: BackboneType) -> BackboneType:
        if hasattr(backbone, "fit_states"):
            raise InputError(f"the backbone {name!r} overrides fit_states, which nothing calls: it is now fit_memory")
        return BACKBONES.register(name)(backbone)

    return declare


def known_backbones() -> tuple[str, ...]:
    """The names that :func:`build_backbone` takes."""
    return BACKBONES.names()


def backbone_level(name: str) -> Literal["modality", "cell"]:
    """What an edge is for a backbone (``Backbone.level``).

    Raises:
        InputError: The name is unknown.
    """
    return BACKBONES.find(name).level


def check_backbone(name: object, options: Mapping[str, Any]) -> None:
    """Refuses an unknown backbone, and options that it does not take.

    Args:
        name: ``concat``, ``muse``, ``grape`` or a registered name.
        options: The backbone's own options.

    Raises:
        InputError: Names what is wrong.
    """
    if not isinstance(name, str):
        raise InputError(f"backbone: expected one of {', '.join(map(repr, BACKBONES.names()))}, got {brief(name)}")
    check_part(BACKBONES, name, options, _FILLED_IN)


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
    return build_part(BACKBONES, name, channels, num_modalities, dropout=dropout, **options)
