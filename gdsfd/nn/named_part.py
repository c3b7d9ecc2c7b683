"""Checking and building parts of a model by name."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, TypeVar

from gdsfd.errors import InputError
from gdsfd.registry import Registry
from gdsfd.setting_checks import check_options

__all__ = ["build_part", "check_part"]

Part = TypeVar("Part")


def check_part(
    registry: Registry[type[Part]],
    name: object,
    options: Mapping[str, Any],
    filled_in: Collection[str],
    field: str = "",
) -> type[Part]:
    """Refuses an unknown part, and options that it does not take.

    Args:
        registry: Where the part is declared.
        name: Its name.
        options: Its own options.
        filled_in: Parameters of its class that are no options: the training fills them in.
        field: The setting that names it, for the message.

    Returns:
        Its class.

    Raises:
        InputError: Names what is wrong.
    """
    part = registry.find(name, field)
    check_options(options, part, ("self", *filled_in), f"option of the {registry.what} {name!r}:")
    return part


def build_part(registry: Registry[type[Part]], name: object, *given: Any, **options: Any) -> Part:
    """An instance of a part.

    Args:
        registry: Where the part is declared.
        name: Its name.
        *given: What its class takes by position.
        **options: What it takes by name, its own options among them.

    Raises:
        InputError: The name is unknown, or the part does not take an option.
    """
    part = registry.find(name)
    try:
        return part(*given, **options)
    except TypeError as error:
        raise InputError(f"the {registry.what} {name!r} does not take these options: {error}") from error
