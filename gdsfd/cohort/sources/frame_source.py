"""DataFrames and Arrow tables in types that the database takes."""

from __future__ import annotations

import datetime
import decimal
import uuid
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from gdsfd.cohort.sources.column_names import checked_names
from gdsfd.errors import InputError, cell_text

__all__ = ["arrow_of_frame", "plain_arrow"]

#: What becomes text in a column of mixed cells.
_SCALARS = (str, bool, int, float, decimal.Decimal, datetime.date, datetime.time, datetime.timedelta, uuid.UUID)
#: What PyArrow, or the text of a cell, raises about cells.
_OF_CELLS = (pa.ArrowException, TypeError, ValueError, OverflowError)


def arrow_of_frame(frame: pd.DataFrame, label: str) -> pa.Table:
    """A DataFrame as Arrow: sparse columns filled, periods as their start, intervals and mixed cells as text.

    Args:
        frame: The DataFrame; its index is left out.
        label: What messages call it.

    Raises:
        InputError: Names that cannot be told apart, or a column that no table can hold; the message says what to do.

    Example:
        >>> arrow_of_frame(pd.DataFrame({"id": [1, "b"], "x": pd.array([0, 2.5], "Sparse[float]")}), "labs").to_pylist()
        [{'id': '1', 'x': 0.0}, {'id': 'b', 'x': 2.5}]
    """
    names = checked_names([str(column) for column in frame.columns], label)
    return plain_arrow(
        pa.table([_array(frame.iloc[:, place], name, label) for place, name in enumerate(names)], names=list(names)),
        label,
    )


def plain_arrow(table: pa.Table, label: str) -> pa.Table:
    """An Arrow table with names as checked, and its numbers in widths that the database has.

    Args:
        table: The table.
        label: What messages call it.

    Raises:
        InputError: Names that cannot be told apart.
    """
    names = checked_names(table.column_names, label)
    return pa.table([_plain(column) for column in table.columns], names=list(names))


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    kind = column.type
    if pa.types.is_decimal256(kind):  # text keeps all digits of an id; a measured value has not so many
        return column.cast(pa.string() if kind.scale == 0 else pa.float64())
    return column.cast(pa.float32()) if pa.types.is_float16(kind) else column


def _array(column: pd.Series[Any], name: str, label: str) -> Any:
    kind: Any = column.dtype
    if isinstance(kind, pd.SparseDtype):
        column = pd.Series(np.asarray(column))
        kind = column.dtype
    if getattr(kind, "kind", "") == "c":
        raise InputError(
            f"{label}: column {name!r} holds complex numbers; give their real and imaginary parts as columns of their "
            "own, or drop it"
        )
    if isinstance(kind, pd.PeriodDtype):
        column = column.dt.to_timestamp()
    elif isinstance(kind, pd.IntervalDtype) or (
        isinstance(kind, pd.CategoricalDtype) and isinstance(kind.categories.dtype, pd.IntervalDtype)
    ):
        column = column.astype(object).map(str, na_action="ignore")
    elif kind == np.longdouble:
        column = column.astype(np.float64)
    try:
        return pa.Array.from_pandas(column)
    except _OF_CELLS as error:
        reason: Exception = error
    try:
        return pa.Array.from_pandas(column.map(_text, na_action="ignore"))
    except _OF_CELLS as error:
        reason = error if column.dtype == object else reason
    raise InputError(
        f"{label}: column {name!r} holds cells that no table can: {cell_text(str(reason), 160)}. Turn it into text or "
        "numbers, or drop it"
    )


def _text(cell: object) -> str:
    if isinstance(cell, (np.generic, *_SCALARS)):
        return str(cell)
    raise TypeError(f"a cell of type {type(cell).__name__} beside others")
