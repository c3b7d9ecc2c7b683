"""Parts by name: the one mechanism by which backbones, encoders, metrics and the like are declared and found."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from gdsfd.errors import InputError, cell_text, near_names

__all__ = ["REGISTRIES", "Registry"]

Part = TypeVar("Part")
Given = TypeVar("Given")

#: Every registry by what it holds: ``"backbone"``, ``"metric"``, ... Filled as registries are made.
REGISTRIES: dict[str, Registry[Any]] = {}


class Registry(Generic[Part]):
    """Parts of one sort by name. Built-in parts and those of plug-ins stand side by side.

    Args:
        what: What the parts are, in the singular, as messages call them: ``"backbone"``.
        built_in: Modules that declare the built-in parts; imported when the registry is first looked into.

    Example:
        >>> greetings = Registry("greeting")
        >>> @greetings.register("hello")
        ... def hello() -> str:
        ...     return "Hello"
        >>> greetings.find("hello")()
        'Hello'
        >>> greetings.find("helo")
        Traceback (most recent call last):
        gdsfd.errors.InputError: unknown greeting 'helo'. Did you mean 'hello'?
    """

    def __init__(self, what: str, built_in: Sequence[str] = ()) -> None:
        self.what = what
        self._built_in = list(built_in)
        self._parts: dict[str, Part] = {}
        self._modules: dict[str, str] = {}
        REGISTRIES[what] = self

    def register(self, name: str) -> Callable[[Given], Given]:
        """Decorator (of a class or function; or call it with an object) that declares a part.

        Args:
            name: The name that settings, specs and files then take.

        Raises:
            InputError: The name is no plain text, or another part has it.
        """
        if not isinstance(name, str) or not name.strip():
            raise InputError(f"the name of a {self.what} must be a text that is not blank, got {cell_text(name)}")

        def declare(part: Given) -> Given:
            known = self._parts.get(name)
            if known is not None and _identity(known) != _identity(part):
                raise InputError(
                    f"the {self.what} name {name!r} is taken by {_identity(known)[1]} of {self._modules[name]}; choose "
                    "another"
                )
            self._parts[name] = part  # type: ignore[assignment]
            self._modules[name] = _identity(part)[0]
            return part

        return declare

    def find(self, name: object, field: str = "") -> Part:
        """The part of a name.

        Args:
            name: The name.
            field: The setting or field that names it, for the message.

        Raises:
            InputError: There is none; the message suggests near names.
        """
        if name not in self:
            at = f"{field}: " if field else ""
            raise InputError(f"{at}unknown {self.what} {cell_text(name)}.{near_names(str(name), self._parts)}")
        return self._parts[str(name)]

    def names(self) -> tuple[str, ...]:
        """All names, built-in ones first."""
        self._fill()
        _ask_entry_points()
        return tuple(self._parts)

    def plugin_of(self, name: str) -> str | None:
        """The module outside of gdsfd that declared a part; None for built-in ones."""
        module = self._modules.get(name, "gdsfd")
        return None if module.split(".")[0] == "gdsfd" else module

    def __contains__(self, name: object) -> bool:
        self._fill()
        if isinstance(name, str) and name not in self._parts:
            _ask_entry_points()
        return isinstance(name, str) and name in self._parts

    def _fill(self) -> None:
        for module in list(self._built_in):
            importlib.import_module(module)
        self._built_in.clear()  # only now: an import that failed is tried, and tells why, again


def _identity(part: object) -> tuple[str, str]:
    """Module and name of a class or function, or of an object's class and what it calls itself."""
    named = part if hasattr(part, "__qualname__") else type(part)
    own = "" if named is part else f" {getattr(part, 'name', '')}".rstrip()
    module = getattr(part, "declared_in", None) or named.__module__
    return str(module), f"{named.__qualname__}{own}"


def _ask_entry_points() -> None:
    from gdsfd.plugins import load_entry_points

    load_entry_points()
