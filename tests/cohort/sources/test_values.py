"""Cells as texts and numbers, for every type that a cleaned column can have."""

from __future__ import annotations

import math
from datetime import date
from typing import Any

import pyarrow as pa
import pytest

from gdsfd.cohort.sources.database import Database
from gdsfd.cohort.sources.values import as_number, as_text, is_declared_missing


@pytest.fixture(scope="module")
def database():
    with Database() as opened:
        yield opened


def said_of(database: Database, cells: pa.Array, expression: Any) -> list[Any]:
    """What an expression over a column gives, cell by cell."""
    table = database.store(database.new_name("cells"), pa.table({"at": range(len(cells)), "x": cells}))
    return database.fetch(table.order_by("at").select(found=expression(table.x)))["found"].to_pylist()


@pytest.mark.parametrize(
    ("cells", "texts"),
    [
        (pa.array(["001", "1.0", None]), ["001", "1.0", None]),
        (pa.array([1, -20, None], pa.int64()), ["1", "-20", None]),
        (pa.array([2**64 - 1, None], pa.uint64()), [str(2**64 - 1), None]),
        (pa.array([1.0, -20.0, None]), ["1", "-20", None]),  # an integer column of pandas with a blank in it
        (pa.array([1.5, 2.0**53 - 1]), ["1.5", str(2**53 - 1)]),
        (pa.array([7.0], pa.float32()), ["7"]),
        (pa.array([True, False, None]), ["true", "false", None]),
        (pa.array([date(2150, 1, 1)]), ["2150-01-01"]),
    ],
)
def test_texts(database: Database, cells: pa.Array, texts: list[str | None]) -> None:
    assert said_of(database, cells, as_text) == texts


def test_floats_that_stand_for_several_integers_are_not_written_as_one(database: Database) -> None:
    large = [2.0**53, -(2.0**60), 1e30, math.inf, -math.inf]
    found = said_of(database, pa.array(large), as_text)
    assert not any(text.lstrip("-").isdigit() for text in found)
    assert [float(text) for text in found] == large


@pytest.mark.parametrize(
    ("cells", "numbers"),
    [
        (
            pa.array(["1e3", "007", "-.5", "1,234", "1_000", "inf", "nan", "1e999", "> 89", None]),
            [1000, 7, -0.5, *[None] * 7],
        ),
        (pa.array([True, False, None]), [1, 0, None]),
        (pa.array([1.5, math.inf, -math.inf, None]), [1.5, None, None, None]),
        (pa.array([3, None], pa.int8()), [3, None]),
        (pa.array([2**63], pa.uint64()), [2.0**63]),
        (pa.array([date(2150, 1, 1)]), [None]),
        (pa.array([[1.0, 2.0]]), [None]),
    ],
)
def test_numbers_are_finite_doubles(database: Database, cells: pa.Array, numbers: list[float | None]) -> None:
    found = said_of(database, cells, as_number)
    assert found == numbers
    assert all(isinstance(value, float) for value in found if value is not None)


@pytest.mark.parametrize(
    ("cells", "missing", "declared"),
    [
        (pa.array(["-1", "-1.0", " -1", "1", "x", None]), [-1], [True, True, True, False, False, False]),
        (pa.array(["NA", "na", "", "0", None]), ["NA", " 0 "], [True, False, False, True, False]),
        (pa.array([-9, 9, None]), ["-9.0"], [True, False, False]),
        (pa.array([-9.0, 0.5, None]), [-9, "unknown"], [True, False, False]),
        (pa.array([True, False, None]), [0], [False, True, False]),
        (pa.array([date(2150, 1, 1), date(1900, 1, 1), None]), ["1900-01-01"], [False, True, False]),
        (pa.array([math.inf, 1.0]), ["inf"], [True, False]),
        (pa.array(["a", None]), [], [False, False]),
    ],
)
def test_declared_values_are_missing_and_blank_cells_are_not_declared(
    database: Database, cells: pa.Array, missing: list[Any], declared: list[bool]
) -> None:
    assert said_of(database, cells, lambda column: is_declared_missing(column, missing)) == declared
