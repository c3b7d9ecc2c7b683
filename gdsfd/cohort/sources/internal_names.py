"""Names of the columns that the package puts beside a user's.

All of them begin with :data:`PREFIX`, and a source whose own column begins so is refused. So no column of a user can
stand in for one of these, whatever it is called; databases take upper and lower case alike, hence so does the check.
"""

from __future__ import annotations

from collections.abc import Iterable

from gdsfd.errors import InputError, shown

__all__ = [
    "ENVIRONMENT",
    "ID",
    "KEEP",
    "MINUTES",
    "NUMBER",
    "OWN_KEY",
    "PATIENT",
    "POSITION",
    "PREFIX",
    "REASON",
    "ROW",
    "TRAIN",
    "check_names",
    "clashing",
    "origin_column",
    "raw_column",
]

PREFIX = "__gdsfd_"

ROW = f"{PREFIX}row"  #: position of a row in its source, as a reader sees it
POSITION = f"{PREFIX}position"  #: the same in a base table that cannot use the database's own row numbers
KEEP = f"{PREFIX}keep"  #: whether the user's ``where`` is true
ID = f"{PREFIX}id"  #: a row's id as text
OWN_KEY = f"{PREFIX}own_key"  #: what a row is matched by: its id as text or as a number, or a repeated text
PATIENT = f"{PREFIX}patient"  #: row of the cohort
ENVIRONMENT = f"{PREFIX}environment"  #: number of that patient's environment, of their names in order
TRAIN = f"{PREFIX}train"  #: whether that patient trains
MINUTES = f"{PREFIX}minutes"  #: minutes since the origin
NUMBER = f"{PREFIX}number"  #: number of a row's item or code, null where it is blank
REASON = f"{PREFIX}reason"  #: number of the reason why a row is dropped


def origin_column(name: str) -> str:
    """The column that holds a cohort column which times are counted from.

    Args:
        name: The cohort's column.
    """
    return f"{PREFIX}origin_{name}"


def raw_column(name: str) -> str:
    """The column that holds a text column as written, while users' SQL sees it typed.

    Args:
        name: The text column.
    """
    return f"{PREFIX}raw_{name}"


def clashing(names: Iterable[str], name: str) -> str | None:
    """The first of some names that a database takes for the same as another, upper and lower case alike.

    Args:
        names: The names.
        name: The other.

    Example:
        >>> clashing(["pid", "ROWID"], "rowid"), clashing(["pid"], "rowid")
        ('ROWID', None)
    """
    wanted = name.casefold()
    return next((each for each in names if each.casefold() == wanted), None)


def check_names(names: Iterable[str], label: str) -> None:
    """Raises an InputError where a user's column is called like one of the package's own.

    Args:
        names: The user's columns.
        label: Their source.
    """
    taken = [name for name in names if name.casefold().startswith(PREFIX)]
    if taken:
        raise InputError(
            f"{label}: names that begin with {PREFIX!r} are the package's own, got column {shown(taken)}; rename "
            "it in the export"
        )
