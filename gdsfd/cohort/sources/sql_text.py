"""Small pieces of DuckDB SQL: quoting, and what counts as blank, a number or a timestamp in text."""

from __future__ import annotations

import re

from gdsfd.cohort.sources.column_names import BLANKS
from gdsfd.cohort.times.forms import LIKE_A_DATE, STAMP, ZONED_STAMP

__all__ = [
    "cleaned",
    "has_word",
    "looks_integer",
    "looks_like_a_date",
    "looks_number",
    "looks_timestamp",
    "looks_zoned",
    "number",
    "quoted",
    "string_literal",
]


def quoted(name: str) -> str:
    """An identifier in double quotes.

    Example:
        >>> print(quoted("heart rate"))
        "heart rate"
    """
    return '"' + name.replace('"', '""') + '"'


def string_literal(text: str) -> str:
    """A string in single quotes.

    Example:
        >>> print(string_literal("it's"))
        'it''s'
    """
    return "'" + text.replace("'", "''") + "'"


def has_word(name: str, expression: str) -> bool:
    """Whether a SQL expression mentions a column, upper and lower case alike.

    Example:
        >>> has_word("age", "AGE > 60"), has_word("age", "average > 60")
        (True, False)
    """
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", expression, re.IGNORECASE) is not None


def cleaned(column: str) -> str:
    """Text without the blanks around it (white space, non-breaking and zero-width signs), blank as null."""
    # Most cells begin and end with a printable letter of ASCII and need no trimming, which is slow.
    edges = f"left({column}, 1) BETWEEN '!' AND '~' AND right({column}, 1) BETWEEN '!' AND '~'"
    return f"CASE WHEN {edges} THEN {column} ELSE nullif(trim({column}, {string_literal(BLANKS)}), '') END"


def number(column: str) -> str:
    """Text as a finite double, null where it is not one. ``1_000``, ``1,234``, ``nan`` and ``inf`` are not numbers."""
    read = f"TRY_CAST({column} AS DOUBLE)"
    return f"CASE WHEN isfinite({read}) AND NOT contains({column}, '_') THEN {read} END"


def looks_integer(column: str) -> str:
    """Whether text is an integer without a leading zero (``001`` is a name, not a number)."""
    return f"regexp_full_match({column}, '[+-]?(0|[1-9][0-9]{{0,17}})')"


def looks_number(column: str) -> str:
    """Whether text is a finite number without a leading zero."""
    return f"(({number(column)}) IS NOT NULL AND NOT regexp_matches({column}, '^[+-]?0[0-9]'))"


def looks_timestamp(column: str) -> str:
    """Whether text is an ISO date or timestamp without a zone, every character of it."""
    return f"(regexp_matches({column}, {string_literal(STAMP)}) AND TRY_CAST({column} AS TIMESTAMP) IS NOT NULL)"


def looks_like_a_date(column: str) -> str:
    """Whether text begins like a date in some order; ``03/04/2020`` is none that can be read."""
    return f"regexp_matches({column}, {string_literal(LIKE_A_DATE)})"


def looks_zoned(column: str) -> str:
    """Whether text is an ISO timestamp with an offset from UTC, every character of it."""
    read = f"TRY_CAST({column} AS TIMESTAMPTZ)"
    return f"(regexp_matches({column}, {string_literal(ZONED_STAMP)}) AND {read} IS NOT NULL)"
