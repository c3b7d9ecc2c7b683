"""The numbers of a spec and their bounds, as types of its fields."""

from __future__ import annotations

import math
from typing import Annotated, Any

from pydantic import BeforeValidator

from gdsfd.errors import cut_text

__all__ = [
    "MOST_MINUTES",
    "MOST_STEPS",
    "Bin",
    "Count",
    "Folds",
    "Intervals",
    "Minutes",
    "Scalar",
    "Seed",
    "Share",
    "Span",
    "short",
]

MOST_MINUTES = 52_596_000.0  #: 100 years
MOST_STEPS = 100_000  #: steps of ``bin`` minutes in a window
LEAST_BIN = 0.001
MOST_COUNT = 1_000_000_000
_MOST_CHARACTERS = 10_000


def _whole(low: int, high: int) -> BeforeValidator:
    def read(value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value:
            raise ValueError(f"expected a whole number from {low:,} to {high:,}, got {short(value)}")
        if not low <= value <= high or value != int(value):
            raise ValueError(f"expected a whole number from {low:,} to {high:,}, got {short(value)}")
        return int(value)

    return BeforeValidator(read)


def _number(low: float, high: float, unit: str = "") -> BeforeValidator:
    def read(value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
            raise ValueError(f"expected a number from {low:,.10g} to {high:,.10g}{unit}, got {short(value)}")
        return float(value)

    return BeforeValidator(read)


def _scalar(value: Any) -> Any:
    """A text, a truth value or a finite number."""
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"expected finite numbers or texts, got {value!r}; write {str(value)!r} for the text")
    if isinstance(value, int) and abs(value) > 1 << 64:
        raise ValueError(f"expected numbers up to 2 to the power of 64, got {short(value)}; write it as a text")
    if isinstance(value, str) and len(value) > _MOST_CHARACTERS:
        raise ValueError(f"expected texts of at most {_MOST_CHARACTERS:,} characters, got one of {len(value):,}")
    return value


def short(value: Any) -> str:
    """A value as messages print it."""
    try:
        return cut_text(repr(value))
    except ValueError:  # Python does not write out whole numbers of thousands of digits
        return "a whole number of thousands of digits"


#: A value of a column, as ``missing``, ``positive``, ``negative`` and ``classes`` list them.
Scalar = Annotated[bool | int | float | str, BeforeValidator(_scalar)]
Minutes = Annotated[float, _number(-MOST_MINUTES, MOST_MINUTES, " minutes")]
Bin = Annotated[float, _number(LEAST_BIN, MOST_MINUTES, " minutes")]
Share = Annotated[float, _number(0, 1)]
Seed = Annotated[int, _whole(0, 2**32 - 1)]
Folds = Annotated[int, _whole(2, 1000)]
Intervals = Annotated[int, _whole(2, 100)]
#: A length of time in a unit of the user's.
Span = Annotated[float, _number(1e-9, 1e12)]
Count = Annotated[int, _whole(1, MOST_COUNT)]
