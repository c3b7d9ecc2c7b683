"""Sources that lie where only an engine such as Spark reaches: tables of a catalogue, folders and URLs of Parquet."""

from __future__ import annotations

import re
from typing import Any

from gdsfd.errors import InputError

__all__ = ["TABLE", "is_remote", "refuse_remote"]

TABLE = "table:"  #: before the name of a table of a catalogue
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")


def is_remote(source: Any) -> bool:
    """Whether a source is a table of a catalogue or a URL.

    Args:
        source: As the spec has it.

    Example:
        >>> is_remote("table:mimiciv_hosp.labevents"), is_remote("s3a://icu/labevents/"), is_remote("labevents.parquet")
        (True, True, False)
    """
    return isinstance(source, str) and (source.startswith(TABLE) or _URL.match(source) is not None)


def refuse_remote(source: Any, what: str) -> None:
    """Raises an InputError for a source that this machine's DuckDB does not reach.

    Args:
        source: As the spec has it.
        what: Where the spec names it.
    """
    if is_remote(source):
        raise InputError(
            f"{what}: source {source!r} is a table of a catalogue or a URL, which only Spark reads: set engine = "
            '"spark" in the spec, or build with --engine spark'
        )
