"""The types of databases, Parquet and DataFrames reduced to a few, without losing a digit of an id."""

from __future__ import annotations

from gdsfd.cohort.sources.sql_text import cleaned

__all__ = ["ZONED", "cleaned_column"]

ZONED = "TIMESTAMP WITH TIME ZONE"  #: DuckDB's type of timestamps that know their offset from UTC

#: Digits that a 64-bit integer always holds.
_BIGINT_DIGITS = 18
#: Types that stay as they are. Unsigned, 128-bit and long decimal integers are among them: as a double, hashed ids
#: would lose digits, and half of them are beyond a signed 64-bit integer.
_KEPT = frozenset(
    ["BOOLEAN", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT"]
)
_KEPT |= {"HUGEINT", "DATE", "NULL"}
_NESTED = ("STRUCT", "MAP", "UNION")


def cleaned_column(column: str, kind: str) -> str:
    """SQL of a column with blanks (text) and NaN (floats) as null, and database types reduced to a few.

    Args:
        column: SQL of the column.
        kind: Its DuckDB type.

    Example:
        >>> cleaned_column("x", "DECIMAL(10,0)"), cleaned_column("x", "UBIGINT"), cleaned_column("x", "INTERVAL")
        ('CAST(x AS BIGINT)', 'x', 'epoch(x) / 60.0')
    """
    if kind == "VARCHAR":
        return cleaned(column)
    if kind in ("DOUBLE", "FLOAT"):
        # Not by isnan: over a Parquet file DuckDB answers it from the file's least and largest numbers, which leave NaN
        # out, and takes every NaN for a number.
        return f"CASE WHEN isfinite({column}) OR isinf({column}) THEN {column} END"
    if kind == ZONED:  # kept, as a time in UTC and a local one must not be compared
        return column
    if kind.startswith("TIMESTAMP"):
        return f"CAST({column} AS TIMESTAMP)"
    if kind == "INTERVAL":  # a duration becomes minutes, the package's unit of time
        return f"epoch({column}) / 60.0"
    if kind.startswith("DECIMAL") and kind.endswith(")"):
        width, scale = (int(part) for part in kind.removeprefix("DECIMAL(").rstrip(")").split(","))
        if scale:
            return f"CAST({column} AS DOUBLE)"
        return f"CAST({column} AS BIGINT)" if width <= _BIGINT_DIGITS else column
    if kind in _KEPT or kind.startswith(_NESTED) or kind.endswith("]"):
        return column
    if kind == "BLOB":
        return cleaned(_text_of_bytes(column))
    return cleaned(f"CAST({column} AS VARCHAR)")


def _text_of_bytes(column: str) -> str:
    """SQL of bytes as text: of text that was written without the mark that says so, of UUIDs (16 bytes), of hashes.

    Other files write UUIDs as ``550e8400-e29b-41d4-a716-446655440000`` and other bytes as hexadecimal digits. Bytes
    that are UTF-8 by chance hold control characters, but for one UUID of some million.
    """
    text, digits = f"TRY(decode({column}))", f"lower(hex({column}))"
    is_text = f"{text} IS NOT NULL AND NOT regexp_matches({text}, '[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f]')"
    uuid = f"CAST(TRY_CAST({digits} AS UUID) AS VARCHAR)"
    return f"CASE WHEN {is_text} THEN {text} WHEN octet_length({column}) = 16 THEN {uuid} ELSE {digits} END"
