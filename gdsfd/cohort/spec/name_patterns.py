"""What an entry of ``columns``, ``exclude`` or ``values`` means: a column's name first, else a glob pattern."""

from __future__ import annotations

import fnmatch
import unicodedata
from collections.abc import Sequence

__all__ = ["is_pattern", "matching_names"]


def is_pattern(entry: str) -> bool:
    """Whether an entry could be a glob pattern."""
    return any(sign in entry for sign in "*?[")


def matching_names(entry: str, names: Sequence[str]) -> tuple[list[str], bool]:
    """The names an entry means, and whether it is one of them itself.

    A name as it stands always means that column, also where it holds ``*``, ``?`` or brackets. Other entries with
    ``*`` or ``?`` are glob patterns, in which brackets stand for themselves, as they do in ``Glucose [Mass/volume]*``;
    when no name matches so, brackets are sets of characters, as in ``e_[0-9]``.

    Args:
        entry: The entry.
        names: The names that exist, in order.

    Example:
        >>> matching_names("a[1]", ["a[1]", "a1"]), matching_names("a[12]", ["a1", "a2", "b"])
        ((['a[1]'], True), (['a1', 'a2'], False))
    """
    if entry in names:
        return [entry], True
    # one letter may be written as one character or as two, which look alike
    alike = [name for name in names if _composed(name) == _composed(entry)]
    if alike:
        return alike[:1], True
    if not is_pattern(entry):
        return [], False
    literal = entry.replace("[", "[[]")
    found = [name for name in names if fnmatch.fnmatchcase(name, literal)]
    return found or [name for name in names if fnmatch.fnmatchcase(name, entry)], False


def _composed(name: str) -> str:
    return unicodedata.normalize("NFC", name).strip()
