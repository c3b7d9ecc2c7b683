"""``--set key=value``: values typed as in TOML, keys checked against those that exist."""

from __future__ import annotations

import argparse
import tomllib
from collections.abc import Collection, Sequence
from typing import Any

from gdsfd.errors import InputError, near_names

__all__ = ["TRAINING", "add_set_argument", "read_settings"]

#: Where training's settings are listed.
TRAINING = "docs/models.md"


def add_set_argument(parser: argparse.ArgumentParser, example: str, listed: str) -> None:
    """Adds ``--set``, which may be repeated.

    Args:
        parser: Of the sub-command.
        example: One pair, for the help.
        listed: Where all settings stand.
    """
    parser.add_argument(
        "--set",
        dest="settings",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        help=f"any other setting ({listed} lists them), typed as in TOML: --set {example}; may be repeated",
    )


def read_settings(pairs: Sequence[str], known: Collection[str], taken: Collection[str] = ()) -> dict[str, Any]:
    """Turns ``["learning_rate=3e-4"]`` into ``{"learning_rate": 0.0003}``.

    Args:
        pairs: What stood behind each ``--set``.
        known: The settings that exist. ``a.b=1`` sets the entry ``b`` of a setting ``a`` that is a table.
        taken: Settings that were given by an option of their own.

    Returns:
        Setting -> value. A list becomes a tuple.

    Raises:
        InputError: A pair without ``=``, an unknown or repeated key, a key in ``taken``, a value that is not TOML.

    Example:
        >>> read_settings(["lr=3e-4", "backbone=concat", "options.layers=2"], ["lr", "backbone", "options"])
        {'lr': 0.0003, 'backbone': 'concat', 'options': {'layers': 2}}
    """
    found: dict[str, Any] = {}
    for pair in pairs:
        key, equals, text = (part.strip() for part in pair.partition("="))
        if not equals or not key:
            raise InputError(f"--set {pair}: expected KEY=VALUE")
        name, dot, entry = key.partition(".")
        if name not in known:
            raise InputError(f"--set {pair}: there is no setting {name!r}.{near_names(name, known)}")
        value = _value(pair, text)
        table = found.setdefault(name, {}) if dot else found
        if name in taken or not isinstance(table, dict) or (entry or name) in table:
            raise InputError(f"--set {pair}: {key!r} is given twice; keep one")
        table[entry or name] = value
    return found


def _value(pair: str, text: str) -> Any:
    try:
        value = tomllib.loads(f"value = {text}")["value"]
        return tuple(value) if isinstance(value, list) else value
    except tomllib.TOMLDecodeError:
        pass
    try:
        return float(text)  # ".5" and "1." are no TOML, but there is no doubt what they mean
    except ValueError:
        pass
    if text and not set(text) & set("[]{}\"'=#\n"):
        return text  # a bare word: the shell has eaten the quotes
    raise InputError(f"--set {pair}: cannot read {text!r}; write the value as in TOML, and quote it for the shell")
