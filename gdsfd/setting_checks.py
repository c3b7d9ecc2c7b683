"""Checks of settings: types, bounds and names, with one wording for all of them.

A class of settings is a frozen dataclass whose fields are annotated with what they take: ``Literal[...]``, ``bool``,
``str``, ``dict``, or a number with its bounds, ``Annotated[int, Whole(1, 64)]``. ``check_fields`` in its
``__post_init__`` holds every value to its annotation. The keyword arguments of a function are checked likewise.
"""

from __future__ import annotations

import copy
import inspect
import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, fields
from functools import cache
from numbers import Integral, Real
from types import NoneType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from gdsfd.errors import InputError, cell_text, near_names

__all__ = ["Number", "Whole", "brief", "check_fields", "check_names", "check_options", "checked"]


@dataclass(frozen=True)
class Whole:
    """Whole numbers from ``low`` to ``high``; ``True`` and ``2.0`` are none.

    Example:
        >>> print(Whole(1, 100_000))
        a whole number from 1 to 100,000
    """

    low: int
    high: int

    def __str__(self) -> str:
        return f"a whole number from {self.low:,} to {self.high:,}"

    def read(self, value: object) -> int | None:
        """The number as a plain ``int``; None when ``value`` is not one of these."""
        if isinstance(value, bool) or not isinstance(value, Integral) or not self.low <= int(value) <= self.high:
            return None
        return int(value)


@dataclass(frozen=True)
class Number:
    """Finite numbers from ``low`` to ``high``, with or without the ends themselves.

    Example:
        >>> print(Number(0, 1, above=True))
        a number above 0 and at most 1
    """

    low: float
    high: float
    above: bool = False
    below: bool = False

    def __str__(self) -> str:
        if not self.above and not self.below:
            return f"a number from {_plain(self.low)} to {_plain(self.high)}"
        first, last = "above" if self.above else "of at least", "below" if self.below else "at most"
        return f"a number {first} {_plain(self.low)} and {last} {_plain(self.high)}"

    def read(self, value: object) -> float | None:
        """The number as a plain ``float``; None when ``value`` is not one of these."""
        if isinstance(value, bool) or not isinstance(value, Real):
            return None
        try:
            value = float(value)
        except OverflowError:  # a whole number beyond all floats
            return None
        if (
            not self.low <= value <= self.high
            or (self.above and value == self.low)
            or (self.below and value == self.high)
        ):
            return None
        return value


def _plain(number: float) -> str:
    """``1,000,000``, where ``g`` would say 1e+06."""
    return f"{number:,.0f}" if number == int(number) else f"{number:g}"


def brief(value: object) -> str:
    """A value as it stands in a message: on one line, and cut where it is long.

    Example:
        >>> brief("1e-3")
        "'1e-3'"
    """
    return " ".join(cell_text(value).split())


def check_names(names: Collection[object], known: Collection[str], what: str) -> None:
    """Refuses names of settings that do not exist.

    Args:
        names: What was given.
        known: What exists.
        what: The kind of setting, for the message: ``"debias setting"``.

    Raises:
        InputError: Names the first, and near ones.
    """
    for name in names:
        if name not in known:
            raise InputError(f"unknown {what} {brief(name)}.{near_names(str(name), known)}")


def check_fields(settings: Any, what: str) -> None:
    """Holds every field of a frozen dataclass to its annotation; numbers become plain ones, mappings copies.

    Args:
        settings: The instance; called in its ``__post_init__``. Fields of other types than those named above are left.
        what: The kind of setting, for the message.

    Raises:
        InputError: Names the field, what it takes and what it got.
    """
    hints = _field_hints(settings.__class__)
    for field in fields(settings):
        value = checked(getattr(settings, field.name), hints[field.name], f"{what} {field.name!r}")
        object.__setattr__(settings, field.name, value)


@cache
def _field_hints(cls: type) -> dict[str, Any]:
    return get_type_hints(cls, include_extras=True)


def check_options(options: Mapping[str, Any], function: Callable[..., Any], given: Collection[str], what: str) -> None:
    """Holds keyword arguments to the signature of the function or class that will get them.

    Args:
        options: The keyword arguments.
        function: What takes them.
        given: Parameters that are filled in otherwise, and are no options.
        what: The kind of option, for the message.

    Raises:
        InputError: An option that ``function`` does not take, or one of a wrong type or out of bounds.
    """
    hints: dict[str, Any] = {}
    anything = True
    for part in _takers(function):
        parameters = inspect.signature(part).parameters.values()
        hints = {**{each.name: Any for each in parameters if each.kind in _BY_NAME}, **_hints(part), **hints}
        anything = any(each.kind is each.VAR_KEYWORD for each in parameters)
        if not anything:
            break
    if not anything:
        check_names(options, [name for name in hints if name not in given and name != "return"], what)
    for name, value in options.items():
        checked(value, hints.get(name, Any), f"{what} {name!r}")


_BY_NAME = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


def _takers(function: Callable[..., Any]) -> list[Callable[..., Any]]:
    """The function; of a class its initialisers, each of which may pass ``**options`` on to the next."""
    if not isinstance(function, type):
        return [function]
    return [vars(each)["__init__"] for each in function.__mro__ if "__init__" in vars(each) and each is not object]


def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    try:
        return get_type_hints(function, include_extras=True)
    except (NameError, TypeError):  # of a user's own class: annotations that cannot be looked up
        return {}


def checked(value: Any, hint: Any, where: str) -> Any:
    """The value, when it is of the annotated kind.

    Raises:
        InputError: It is not.
    """
    optional, hint, bounds = _parts(hint)
    if value is None and optional:
        return None
    if hint in (int, float) and bounds is None:
        bounds = Whole(-(2**53), 2**53) if hint is int else Number(-1e15, 1e15)
    found: Any = None  # no value that is of its kind is None
    if isinstance(bounds, (Whole, Number)):
        expected, found = str(bounds), bounds.read(value)
    elif get_origin(hint) is Literal:
        expected = f"one of {get_args(hint)}"
        found = value if isinstance(value, str) and value in get_args(hint) else None
    elif hint in (bool, str):
        expected, found = _KINDS[hint], value if isinstance(value, hint) else None
    else:
        return _table(value, where) if get_origin(hint) is dict else value
    if found is None:
        raise InputError(f"{where}: expected {expected}{' or none' if optional else ''}, got {brief(value)}")
    return found


_KINDS = {bool: "true or false", str: "a text"}


def _parts(hint: Any) -> tuple[bool, Any, Any]:
    """Whether None is allowed, the type without that, and the bounds of a number."""
    bounds = None
    if get_origin(hint) is Annotated:
        hint, bounds = get_args(hint)[:2]
    args = get_args(hint)
    if get_origin(hint) in (Union, type(int | None)) and NoneType in args:
        rest = [each for each in args if each is not NoneType]
        return True, rest[0] if len(rest) == 1 else Any, bounds
    return False, hint, bounds


def _table(value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise InputError(f"{where}: expected a mapping of names to values, got {brief(value)}")
    try:
        json.dumps(dict(value), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InputError(f"{where}: expected values that JSON can hold, got {brief(value)} ({error})") from None
    return copy.deepcopy(dict(value))
