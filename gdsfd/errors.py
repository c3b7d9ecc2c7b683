"""The errors this package raises on purpose.

Every error is a :class:`GdsfdError`. Its children also inherit the built-in exception that a caller would catch, and
the command line turns :class:`InputError` into exit code 2 and everything else into exit code 1.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

__all__ = [
    "CELL_CHARACTERS",
    "GdsfdError",
    "InputError",
    "NotFittedError",
    "RetiredError",
    "SchemaError",
    "SpecError",
    "cell_text",
    "cut_text",
    "near_names",
    "shown",
]

#: Characters of a cell that messages, receipts and warnings print.
CELL_CHARACTERS = 80
_COMPARED = 200


class GdsfdError(Exception):
    """Base class of all errors raised on purpose."""


class InputError(GdsfdError, ValueError):
    """What the user handed in is wrong: a file, a column, a value, an argument.

    The message says what, where (file, column, first offending rows or ids), what was expected and what to do.
    """


class SpecError(InputError):
    """The cohort spec itself is wrong: an unknown key, a field of the wrong type, fields that contradict each other.

    Attributes:
        complaints: Where several things are wrong: each with its place in the spec, keys and positions.
    """

    complaints: Sequence[tuple[tuple[int | str, ...], str]] = ()


class SchemaError(InputError):
    """A model and a graph do not fit together: other modalities, columns or vocabularies."""


class RetiredError(InputError):
    """A setting of an earlier version that is no longer there."""


class NotFittedError(GdsfdError, RuntimeError, AttributeError):
    """A model was asked for what training gives before it was trained; ``hasattr`` then says no."""


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
    # Names beyond any sensible length are notes or broken quotes; comparing them would take minutes.
    name, names = str(name)[:_COMPARED], sorted({str(known_name)[:_COMPARED] for known_name in known})
    close = difflib.get_close_matches(name, names, n=limit, cutoff=0.6)
    if not close:
        lowered = {candidate.lower(): candidate for candidate in names}
        close = [lowered[hit] for hit in difflib.get_close_matches(name.lower(), lowered, n=limit, cutoff=0.6)]
    if close:
        return f" Did you mean {' or '.join(cell_text(candidate) for candidate in close)}?"
    return f" Known: {shown(names, limit=12)}." if names else ""


def cut_text(text: str, limit: int = CELL_CHARACTERS) -> str:
    """A text, cut where it is long, with its length.

    Args:
        text: The text.
        limit: The most characters of it.

    Example:
        >>> cut_text("P001"), cut_text("x" * 1_000_000, limit=4)
        ('P001', 'xxxx… (1,000,000 characters)')
    """
    return text if len(text) <= limit else f"{text[:limit]}… ({len(text):,} characters)"


def cell_text(cell: object, limit: int = CELL_CHARACTERS) -> str:
    """A cell as messages print it: quoted, and cut where it is long.

    Args:
        cell: What the file holds there.
        limit: The most characters of it.

    Example:
        >>> cell_text("> 89"), cell_text("x" * 1_000_000, limit=4)
        ("'> 89'", "'xxxx…' (1,000,000 characters)")
    """
    if isinstance(cell, str) and len(cell) > limit:
        return f"{cell[:limit] + '…'!r} ({len(cell):,} characters)"
    return repr(cell) if isinstance(cell, str) else cut_text(repr(cell), limit)


def shown(values: Sequence[object] | Iterable[object], limit: int = 5) -> str:
    """The first few values, quoted and cut at 80 characters, with the number left out: ``'a', 'b' and 7 more``.

    Example:
        >>> shown(["a", "b", "c"], limit=2)
        "'a', 'b' and 1 more"
    """
    listed = list(values)
    text = ", ".join(cell_text(value) for value in listed[:limit])
    return text if len(listed) <= limit else f"{text} and {len(listed) - limit} more"
