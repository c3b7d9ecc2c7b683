"""DuckDB's types in Spark: what a column is stored as on its way, and what a column of Spark is to DuckDB."""

from __future__ import annotations

import re
from typing import Any

__all__ = ["duckdb_type", "spark_type", "stored_as"]

#: DuckDB type -> the DuckDB type that Spark has, too, and Spark's name for it.
_PLAIN = {
    "BOOLEAN": ("BOOLEAN", "boolean"),
    "TINYINT": ("TINYINT", "tinyint"),
    "SMALLINT": ("SMALLINT", "smallint"),
    "INTEGER": ("INTEGER", "int"),
    "BIGINT": ("BIGINT", "bigint"),
    "UTINYINT": ("SMALLINT", "smallint"),
    "USMALLINT": ("INTEGER", "int"),
    "UINTEGER": ("BIGINT", "bigint"),
    "UBIGINT": ("DECIMAL(20,0)", "decimal(20,0)"),
    "HUGEINT": ("DECIMAL(38,0)", "decimal(38,0)"),
    "FLOAT": ("FLOAT", "float"),
    "DOUBLE": ("DOUBLE", "double"),
    "VARCHAR": ("VARCHAR", "string"),
    "DATE": ("DATE", "date"),
    "TIMESTAMP": ("TIMESTAMP", "timestamp_ntz"),
    "TIMESTAMP WITH TIME ZONE": ("TIMESTAMP WITH TIME ZONE", "timestamp"),
    "BLOB": ("BLOB", "binary"),
}
#: Everything else travels as text, which DuckDB reads again as what it was: UUID, TIME, INTERVAL, STRUCT, ...
_AS_TEXT = ("VARCHAR", "string")
_DECIMAL = re.compile(r"DECIMAL\(\d+,\d+\)")


def stored_as(kind: str) -> str:
    """The DuckDB type that a column of some DuckDB type is stored as in Spark; a cast there and back loses nothing.

    Args:
        kind: The DuckDB type.

    Example:
        >>> stored_as("UBIGINT"), stored_as("TIME"), stored_as("DOUBLE[]")
        ('DECIMAL(20,0)', 'VARCHAR', 'DOUBLE[]')
    """
    return _stored(kind)[0]


def spark_type(kind: str) -> str:
    """Spark's name of the type that a column of some DuckDB type is stored as.

    Args:
        kind: The DuckDB type.

    Example:
        >>> spark_type("UBIGINT"), spark_type("TIMESTAMP"), spark_type("DOUBLE[]")
        ('decimal(20,0)', 'timestamp_ntz', 'array<double>')
    """
    return _stored(kind)[1]


def _stored(kind: str) -> tuple[str, str]:
    if kind in _PLAIN:
        return _PLAIN[kind]
    if _DECIMAL.fullmatch(kind):
        return kind, kind.lower()
    if kind.endswith("[]") and _stored(kind[:-2])[0] == kind[:-2]:
        return kind, f"array<{_stored(kind[:-2])[1]}>"
    return _AS_TEXT


def duckdb_type(kind: Any) -> str | None:
    """The DuckDB type of a column of Spark; None for what has to become text first.

    Args:
        kind: Spark's type, an instance of ``pyspark.sql.types.DataType``.
    """
    name = str(kind.simpleString())
    if name.startswith(("char(", "varchar(")):
        return "VARCHAR"
    if name.startswith("array<"):
        inner = duckdb_type(kind.elementType)
        return None if inner is None else f"{inner}[]"
    found = {spark: plain for plain, (same, spark) in _PLAIN.items() if plain == same}
    if name in found:
        return found[name]
    return name.upper() if name.startswith("decimal(") else None
