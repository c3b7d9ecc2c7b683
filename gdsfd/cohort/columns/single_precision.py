"""Values in the type that a graph stores: numbers of 32 bits, finite, of about seven digits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gdsfd.cohort.receipt.receipt import Finding
from gdsfd.errors import InputError, shown

__all__ = ["LARGEST", "check_stored", "find_lost_digits", "loses_digits"]

LARGEST = float(np.finfo(np.float32).max)  #: 3.4e38
_EXACT = 2.0**24  #: whole numbers up to here are stored as they are
_ALIKE = 0.9  #: share of distinct values that must stay distinct


def check_stored(values: NDArray[np.floating], what: str, owner: Callable[[int], str]) -> NDArray[np.float32]:
    """The values as they are stored; NaN stays.

    Args:
        values: float64, of any shape; the first axis is the row.
        what: What they are, for the message: ``"modality 'labs': column 'crp' of labs.csv"``.
        owner: The id behind a row.

    Raises:
        InputError: A value that is infinite once stored.

    Example:
        >>> check_stored(np.array([1.5, np.nan]), "column 'x'", str)
        array([1.5, nan], dtype=float32)
    """
    with np.errstate(over="ignore"):
        stored = values.astype(np.float32)
    broken = np.isinf(stored)
    if broken.any():
        rows = np.unique(np.nonzero(broken)[0])
        first = [f"{values[row][broken[row]].flat[0]:g} (id {owner(int(row))})" for row in rows[:6]]
        raise InputError(
            f"{what}: {len(rows)} values are too large for single precision, in which they are stored (at most "
            f"{LARGEST:.1e}): {shown(first).replace(chr(39), '')}. Correct them, add them to missing, or derive a "
            "number of another scale"
        )
    return stored


def loses_digits(values: NDArray[np.floating]) -> tuple[int, int] | None:
    """Distinct values before and after storage, where many of them become one; else None.

    Args:
        values: float64 [n], NaN = not measured.

    Example:
        >>> loses_digits(np.array([20240131120000.0, 20240131120001.0, 20240131120002.0]))
        (3, 1)
    """
    measured = values[~np.isnan(values)]
    if not len(measured) or np.abs(measured).max() <= _EXACT:
        return None
    before, after = len(np.unique(measured)), len(np.unique(measured.astype(np.float32)))
    return (before, after) if after < _ALIKE * before else None


def find_lost_digits(modality: str, table: Any, names: Sequence[str], fetch: Any) -> list[Finding]:
    """A warning for each item of events of whose large values many become one; as :func:`loses_digits` of columns.

    Args:
        modality: The modality's name.
        table: Ibis expression of the events: ``number`` (of the item), ``value``.
        names: The items by number.
        fetch: Runs an expression and gives Arrow.
    """
    size = table.value.abs()
    large = table.filter((size > _EXACT) & (size <= LARGEST))
    counted = large.group_by("number").agg(
        before=large.value.nunique(), after=large.value.cast("float32").cast("float64").nunique()
    )
    return [
        Finding(
            "values",
            f"{modality}.{names[row['number']]}",
            f"its {row['before']:,} different values above {_EXACT:,.0f} are {row['after']:,} once stored in single "
            "precision (seven digits); derive a smaller number (a difference, a part), or leave the item out with "
            "where",
            float(row["before"] - row["after"]),
        )
        for row in sorted(fetch(counted).to_pylist(), key=lambda row: row["number"])
        if row["after"] < _ALIKE * row["before"]
    ]
