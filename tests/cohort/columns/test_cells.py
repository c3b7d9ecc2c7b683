"""Cells of a column: blank, missing, numbers and texts, on columns small enough to look at."""

from __future__ import annotations

from typing import Any

import ibis.expr.datatypes as dt
import numpy as np
import pyarrow as pa
import pytest

from gdsfd.cohort.columns.cells import Cells, kind_of

NAN = float("nan")


def texts(*cells: str | None, missing: Any = ()) -> Cells:
    """A column of text, with the numbers that a reader finds in it."""

    def number(cell: str | None) -> float:
        try:
            return float(cell or "nan")
        except ValueError:
            return NAN

    filled = np.array([cell is not None for cell in cells])
    return Cells("x", "text", pa.array(cells, pa.string()), np.array([number(cell) for cell in cells]), filled, missing)


def numbers(*cells: float, missing: Any = ()) -> Cells:
    stored = np.array(cells, float)
    finite = np.where(np.isfinite(stored), stored, NAN)
    return Cells("x", "number", None, finite, ~np.isnan(stored), missing, stored)


@pytest.mark.parametrize(
    ("missing", "measured"),
    [
        ([], [True, True, True, True, False]),
        ([-1], [False, False, True, True, False]),  # -1 and -1.0 are one number
        (["-1.00"], [False, False, True, True, False]),
        (["x "], [True, True, True, False, False]),
        ([" x", 7], [True, True, False, False, False]),
        (["X"], [True, True, True, True, False]),
    ],
)
def test_missing_values_are_compared_as_numbers_and_as_texts(missing: list[Any], measured: list[bool]) -> None:
    cells = texts("-1", "-1.0", "7", "x", None, missing=missing)
    assert cells.measured.tolist() == measured
    assert cells.filled.tolist() == [True, True, True, True, False]
    np.testing.assert_array_equal(cells.values, np.where(measured, [-1, -1, 7, NAN, NAN], NAN))
    assert cells.readable.tolist() == [there and number == number for there, number in zip(measured, cells.number)]
    assert cells.text().tolist() == [
        cell if there else None for cell, there in zip(["-1", "-1.0", "7", "x", None], measured)
    ]


def test_stored_numbers_without_texts() -> None:
    cells = numbers(-1, 3, NAN, np.inf, missing=[-1, "inf"])
    assert cells.measured.tolist() == [False, True, False, True]
    np.testing.assert_array_equal(cells.values, [NAN, 3, NAN, NAN])
    assert cells.readable.tolist() == [False, True, False, False]
    assert cells.shown(np.array([3, 1])) == ["inf", "3"]
    with pytest.raises(TypeError, match="column 'x' was not read as text"):
        cells.texts  # noqa: B018


def test_texts_are_numbered_in_the_order_of_the_rows() -> None:
    codes, found = texts("b", None, "a", "b").texts
    assert (codes.tolist(), found.tolist()) == ([0, -1, 1, 0], ["b", "a"])
    assert texts(None, None).texts[0].tolist() == [-1, -1]
    assert texts(None, "NA").shown(np.array([1, 0])) == ["NA", "None"]


@pytest.mark.parametrize(
    ("dtype", "kind"),
    [
        (dt.string, "text"),
        (dt.int8, "number"),
        (dt.float64, "number"),
        (dt.Decimal(10, 2), "number"),
        (dt.boolean, "number"),
        (dt.date, "time"),
        (dt.Timestamp(timezone="UTC"), "time"),
        (dt.time, "time"),
        (dt.Array(dt.float64), "nested"),
        (dt.Struct({"a": dt.int64}), "nested"),
    ],
)
def test_the_kind_of_a_column(dtype: Any, kind: str) -> None:
    assert kind_of(dtype) == kind
