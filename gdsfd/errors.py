"""The errors this package raises on purpose.

Every error is a :class:`GdsfdError`. Its children also inherit the built-in exception that a caller would catch, and
the command line turns :class:`InputError` into exit code 2 and everything else into exit code 1.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

__all__ = ["GdsfdError", "InputError", "NotFittedError", "SchemaError", "SpecError", "near_names", "shown"]


class GdsfdError(Exception):
    """Base class of all errors raised on purpose."""


class InputError(GdsfdError, ValueError):
    """What the user handed in is wrong: a file, a column, a value, an argument.

    The message says what, where (file, column, first offending rows or ids), what was expected and what to do.
    """


class SpecError(InputError):
    """The cohort spec itself is wrong: an unknown key, a field of the wrong type, fields that contradict each other."""


class SchemaError(InputError):
    """A model and a graph do not fit together: other modalities, columns or vocabularies."""


class NotFittedError(GdsfdError, RuntimeError):
    """A model was asked to predict before it was trained."""


def near_names(name: str, known: Iterable[str], limit: int = 3) -> str:
    """Says which known names look like a mistyped one.

    Args:
        name: What the user wrote.
        known: The names that exist.
        limit: The most suggestions given.

    Returns:
        ``" Did you mean 'wbc'?"``, or the known names when none is near (all of a few, the first of many).

    Example:
        >>> near_names("wcb", ["wbc", "sodium"])
        " Did you mean 'wbc'?"
    """
    names = sorted({str(known_name) for known_name in known})
    close = difflib.get_close_matches(str(name), names, n=limit, cutoff=0.6)
    if not close:
        lowered = {candidate.lower(): candidate for candidate in names}
        close = [lowered[hit] for hit in difflib.get_close_matches(str(name).lower(), lowered, n=limit, cutoff=0.6)]
    if close:
        return f" Did you mean {' or '.join(repr(candidate) for candidate in close)}?"
    return f" Known: {shown(names, limit=12)}." if names else ""


def shown(values: Sequence[object] | Iterable[object], limit: int = 5) -> str:
    """The first few values, quoted, with the number left out: ``'a', 'b' and 7 more``.

    Example:
        >>> shown(["a", "b", "c"], limit=2)
        "'a', 'b' and 1 more"
    """
    listed = list(values)
    text = ", ".join(repr(value) for value in listed[:limit])
    return text if len(listed) <= limit else f"{text} and {len(listed) - limit} more"
