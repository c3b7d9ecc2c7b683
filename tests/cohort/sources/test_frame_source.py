from __future__ import annotations

import datetime
import uuid
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from gdsfd.cohort.sources.frame_source import arrow_of_frame, plain_arrow
from gdsfd.errors import InputError


def column(cells: Any) -> list[Any]:
    return arrow_of_frame(pd.DataFrame({"x": cells}), "labs")["x"].to_pylist()


@pytest.mark.parametrize(
    ("cells", "read"),
    [
        (pd.arrays.SparseArray([0, 2, 0]), [0, 2, 0]),
        (pd.arrays.SparseArray([np.nan, 2.5]), [None, 2.5]),
        (np.array([1.5, 2], dtype=np.float16), [1.5, 2.0]),
        (np.array([1.5, 2], dtype=np.longdouble), [1.5, 2.0]),
        (pd.array([1, None], dtype="UInt64"), [1, None]),
        (pd.period_range("2020-01", periods=2, freq="M"), [pd.Timestamp("2020-01-01"), pd.Timestamp("2020-02-01")]),
        (pd.interval_range(0, 2, periods=2), ["(0, 1]", "(1, 2]"]),
        (pd.cut([1, 5, np.nan], [0, 3, 6]), ["(0, 3]", "(3, 6]", None]),
        (pd.Categorical(["a", None]), ["a", None]),
        ([10**25, 7], [str(10**25), "7"]),
        ([1, "b", None, 2.5], ["1", "b", None, "2.5"]),
        ([Decimal("1.5"), "x"], ["1.5", "x"]),
        ([datetime.date(2020, 1, 2), "x", np.int64(3)], ["2020-01-02", "x", "3"]),
        ([uuid.UUID(int=1), "x"], [str(uuid.UUID(int=1)), "x"]),
        ([[1.0, 2.0], [3.0]], [[1.0, 2.0], [3.0]]),
        ([{"a": 1}, {"a": 2}], [{"a": 1}, {"a": 2}]),
        ([Decimal(10) ** 60, Decimal(1)], [str(10**60), "1"]),
    ],
    ids=range(17),
)
def test_legitimate_types_are_taken(cells: Any, read: list[Any]) -> None:
    assert column(cells) == read


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ([1 + 2j, 3], r"labs: column 'x' holds complex numbers; give their real and imaginary parts as columns"),
        (
            [object(), 1],
            r"labs: column 'x' holds cells that no table can: .*of type object.* Turn it into text or numbers",
        ),
        ([int, str], r"labs: column 'x' holds cells that no table can"),
        ([{"a": 1}, 2], r"labs: column 'x' holds cells that no table can"),
        (np.array(["a\ud800", 1], dtype=object), r"labs: column 'x' holds cells that no table can"),
    ],
)
def test_the_others_are_refused_with_a_way_out(cells: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        column(cells)


def test_wide_decimals_of_arrow() -> None:
    table = pa.table(
        {
            "id": pa.array([Decimal(10**50 + 1)], pa.decimal256(60, 0)),
            "x": pa.array([Decimal("1.25")], pa.decimal256(60, 2)),
            "h": pa.array([np.float16(0.5)], pa.float16()),
        }
    )
    assert plain_arrow(table, "labs").to_pylist() == [{"id": str(10**50 + 1), "x": 1.25, "h": 0.5}]
