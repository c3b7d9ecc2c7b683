"""``--json``: one JSON object on stdout in place of words, for whatever calls the command."""

from __future__ import annotations

import argparse
import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gdsfd._version import __version__

__all__ = ["add_json_argument", "answer", "tell_machine"]


def add_json_argument(parser: argparse.ArgumentParser) -> None:
    """Adds ``--json``.

    Args:
        parser: Of the sub-command, which has ``--quiet``.
    """
    parser.add_argument(
        "--json",
        dest="machine",
        action="store_true",
        help="print one JSON object instead of words, also where something is wrong, and show no progress; "
        "warnings and errors still go to stderr",
    )


def tell_machine(arguments: argparse.Namespace, **told: Any) -> None:
    """Keeps what a command has to say for :func:`answer`.

    Args:
        arguments: Those of the command.
        told: Paths, numbers, texts, and lists and mappings of them.
    """
    arguments.told = {**getattr(arguments, "told", {}), **told}


def answer(arguments: argparse.Namespace, code: int, error: str | None = None) -> str:
    """The object: what was told beside ``gdsfd`` (version), ``command``, ``exit_code`` and ``error`` (a text, or null).

    Args:
        arguments: Those of the command.
        code: The exit code.
        error: What went wrong, in words.
    """
    head = {"gdsfd": __version__, "command": arguments.command, "exit_code": code, "error": error}
    return json.dumps({**head, **_plain(getattr(arguments, "told", {}))}, ensure_ascii=False, allow_nan=False)


def _plain(value: Any) -> Any:
    """What JSON has words for; a number that is none becomes null."""
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(each) for each in value]
    if isinstance(value, Path):
        return os.fspath(value)
    if hasattr(value, "tolist"):  # numpy's, which is not imported for this
        return _plain(value.tolist())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, (str, int)):
        return value
    return str(value)
