"""Colour for the word that matters, on a terminal only."""

from __future__ import annotations

import os
from typing import TextIO

__all__ = ["RED", "YELLOW", "painted"]

RED, YELLOW = "31;1", "33"


def painted(word: str, colour: str, stream: TextIO) -> str:
    """The word in a colour where the stream is a terminal that shows some; else the word as it is.

    A pipe, a file, ``TERM=dumb`` and ``NO_COLOR`` (https://no-color.org) keep it plain.

    Args:
        word: What stands out: ``"error:"``.
        colour: :data:`RED` or :data:`YELLOW`.
        stream: Where it is printed.
    """
    if not stream.isatty() or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return word
    return f"\033[{colour}m{word}\033[0m"
