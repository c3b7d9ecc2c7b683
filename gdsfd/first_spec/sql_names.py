"""Names of columns as SQL takes them: plain where they can be, else in quotes."""

from __future__ import annotations

import re
from functools import cache

import duckdb

from gdsfd.cohort.sources.sql_text import quoted

__all__ = ["sql_name"]


def sql_name(name: str) -> str:
    """A column's name in an expression.

    Args:
        name: The column.

    Example:
        >>> print(sql_name("age"), sql_name("order"), sql_name("heart rate"))
        age "order" "heart rate"
    """
    return name if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name) and name.lower() not in _keywords() else quoted(name)


@cache
def _keywords() -> frozenset[str]:
    with duckdb.connect() as database:
        query = "SELECT keyword_name FROM duckdb_keywords() WHERE keyword_category IN ('reserved', 'type_function')"
        return frozenset(row[0] for row in database.execute(query).fetchall())
