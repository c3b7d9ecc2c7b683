"""What counts as measured, missing and a number, as Ibis expressions over cleaned columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import ibis

from gdsfd.cohort.keys.spellings import parse_scalar

__all__ = ["as_number", "as_text", "is_declared_missing"]


def as_text(column: Any) -> Any:
    """A column as text; an id keeps its leading zeros because it was never anything else.

    A whole number that is stored as a float is written as the integer it is: pandas turns integers into floats where
    one is missing, and a key must not depend on that.
    """
    kind = column.type()
    if kind.is_string():
        return column
    if kind.is_floating():
        integer = column.try_cast("int64")  # null where it is infinite or too large
        whole = (integer.cast("float64") == column) & (column.abs() < 2.0**53)  # beyond, integers lack floats
        return ibis.cases((whole, integer.cast("string")), else_=column.cast("string"))
    return column.cast("string")


def as_number(column: Any) -> Any:
    """A column as finite float64, null where it is blank or not a number (``1,234``, ``1_000``, ``inf``)."""
    kind = column.type()
    if kind.is_string():
        read = column.try_cast("float64")
        return ibis.cases((~column.contains("_") & ~read.isinf() & ~read.isnan(), read))
    if kind.is_boolean():
        return column.cast("int8").cast("float64")
    if kind.is_floating():
        read = column.cast("float64")
        return ibis.cases((~read.isinf(), read))
    if kind.is_numeric():
        return column.cast("float64")
    return ibis.null("float64")


def is_declared_missing(column: Any, missing: Sequence[object]) -> Any:
    """Whether a cell equals one of the declared values, as text or as a number; null cells give False."""
    if not missing:
        return ibis.literal(False)
    numbers = [parsed for parsed in (parse_scalar(value) for value in missing) if parsed is not None]
    if column.type().is_string():
        found = column.isin([str(value).strip() for value in missing])
        if numbers:
            found = found | as_number(column).isin(numbers).fill_null(False)
    elif numbers and (column.type().is_numeric() or column.type().is_boolean()):
        found = column.cast("float64").isin(numbers)
        words = [str(value).strip() for value in missing if parse_scalar(value) is None]
        found = found | as_text(column).isin(words) if words else found
    else:
        found = as_text(column).isin([str(value).strip() for value in missing])
    return found.fill_null(False)
