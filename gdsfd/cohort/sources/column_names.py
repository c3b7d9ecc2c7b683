"""What the columns of a source may be called."""

from __future__ import annotations

from collections.abc import Sequence

from gdsfd.errors import InputError, cell_text, shown

__all__ = ["BLANKS", "MAX_NAME_CHARACTERS", "UNNAMED", "checked_names"]

#: Characters that stand for nothing around a name or a cell: white space, also the kinds that spreadsheets and web
#: pages write (non-breaking, narrow, ideographic), zero-width signs and the byte order mark.
BLANKS = (
    " \t\n\r\f\x0b\x1c\x1d\x1e\x1f\x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u200b\u200c\u200d\u2028\u2029\u202f\u205f\u2060\u3000\ufeff"
)
MAX_NAME_CHARACTERS = 1_000
#: What a column without a name is called.
UNNAMED = "column0"


def checked_names(names: Sequence[str], label: str) -> tuple[str, ...]:
    """The names of a source's columns without blanks around them, once they can be told apart.

    Args:
        names: As the source has them.
        label: The source in a word.

    Raises:
        InputError: Several columns have no name; names are alike (SQL takes upper and lower case for the same), endless
            or hold a NUL.

    Example:
        >>> checked_names(["id ", "Heart rate", ""], "labs.csv")
        ('id', 'Heart rate', 'column0')
    """
    trimmed = [name.strip(BLANKS) for name in names]
    blank = [position + 1 for position, name in enumerate(trimmed) if not name]
    endless = next((name for name in trimmed if len(name) > MAX_NAME_CHARACTERS), None)
    if endless is not None:
        raise InputError(
            f"{label}: a column is called {cell_text(endless)}; expected at most {MAX_NAME_CHARACTERS:,} characters. "
            "Is a quote not closed, or is this not the header?"
        )
    if any("\0" in name for name in trimmed):
        raise InputError(f"{label}: column names with NUL bytes: {shown([n for n in trimmed if chr(0) in n])}")
    if len(blank) > 1:
        raise InputError(
            f"{label}: columns {shown(blank)} of the header have no name; name them, or remove what stands above the "
            "header"
        )
    complete = [name or UNNAMED for name in trimmed]
    lowered: dict[str, list[str]] = {}
    for name in complete:
        lowered.setdefault(name.lower(), []).append(name)
    repeated = sorted({name for alike in lowered.values() if len(alike) > 1 for name in alike})
    if repeated:
        raise InputError(
            f"{label}: column names must differ (upper and lower case count as equal), got {shown(repeated)} more than "
            "once; rename them"
        )
    return tuple(complete)
