from __future__ import annotations

from dataclasses import replace
from typing import Any

import duckdb
import pyarrow as pa

from gdsfd.cohort.spark.frame import ORDER, Frame, places, stored_columns

NAMES, TYPES = ("id", "Value", "big"), ("VARCHAR", "DOUBLE", "UBIGINT")


class Rows:
    """Stands for a DataFrame: remembers what is asked of it."""

    def __init__(self, columns: list[str]) -> None:
        self.columns = columns

    def select(self, *columns: str) -> Rows:
        return Rows(list(columns))

    def toDF(self, *columns: str) -> Rows:
        assert len(columns) == len(self.columns)
        return self


def frame() -> Frame:
    return Frame.of(Rows(places(3)), NAMES, TYPES)


def test_columns_that_nobody_needs_are_left_out_whatever_their_case() -> None:
    found = frame().pruned({"value"})
    assert (found.names, found.types, found.data.columns) == (("Value",), ("DOUBLE",), ["c1"])
    assert frame().pruned(set()).names == ("id",)  # rows are still to be counted
    assert frame().pruned(None).names == NAMES


def test_stages_become_one_query() -> None:
    found = frame().then("labs", 'SELECT "Value" + 1 AS v, id FROM labs', {"v": "DOUBLE", "id": "VARCHAR"})
    found = found.then("more", "SELECT v * 2 AS v FROM more WHERE id = 'a'", {"v": "DOUBLE"})
    rows = "SELECT * FROM (VALUES ('a', 1.5, 7), ('b', 2.5, 8)) t(id, \"Value\", big)"
    assert duckdb.sql(found.query(rows)).fetchall() == [(5.0,)]
    assert duckdb.sql(found.query_of_nothing()).fetchall() == []


def test_columns_that_nothing_depends_on_stay_behind() -> None:
    found = frame().read_in_part(["ID"]).then("labs", 'SELECT id, "Value" + 1 AS v FROM labs', {})
    assert (found.held, found.absent) == (("id",), (("Value", "DOUBLE"), ("big", "UBIGINT")))
    assert duckdb.sql(found.query("SELECT 'a' AS id")).fetchall() == [("a", None)]
    assert list(map(str, duckdb.sql(found.query_of_nothing()).types)) == ["VARCHAR", "DOUBLE"]


def test_a_stage_may_read_a_small_table() -> None:
    small = Frame.of(Rows(places(1)), ["k"], ["UBIGINT"], pa.table({"c0": pa.array([7], pa.decimal128(20, 0))}))
    found = (
        frame().with_beside("few", small).then("labs", "SELECT id FROM labs JOIN few ON big = c0", {"id": "VARCHAR"})
    )
    assert duckdb.sql(found.query_of_nothing()).columns == ["id"]
    few, rows = small.here, "SELECT * FROM (VALUES ('a', 1.5, 7), ('b', 2.5, 8)) t(id, \"Value\", big)"
    assert len(few) == 1
    assert duckdb.sql(found.query(rows)).fetchall() == [("a",)]


def test_of_packed_rows_the_columns_that_are_left_keep_their_places() -> None:
    here = pa.table({"c0": ["a"], "c1": [1.5], "c2": [7]})
    found = Frame.of_pieces(Rows(places(1)), NAMES, TYPES, here).pruned({"big", "value"}).pruned({"big"})
    assert (found.held, found.packed, found.data.columns, found.here.to_pydict()) == (
        ("big",),
        (2,),
        ["c0"],
        {"c0": [7]},
    )
    assert stored_columns(found.held, found.held_types, at=found.packed) == 'CAST(c2 AS UBIGINT) AS "big"'


def test_columns_go_to_spark_and_back() -> None:
    values = "SELECT 'a' AS id, 1.5::DOUBLE AS \"Value\", 18446744073709551615::UBIGINT AS big"
    there = f"SELECT {stored_columns(NAMES, TYPES, to=True)} FROM ({values})"
    assert duckdb.sql(there).columns == places(3)
    back: Any = duckdb.sql(f"SELECT {stored_columns(NAMES, TYPES)} FROM ({there})")
    assert (tuple(back.columns), tuple(map(str, back.types)), back.fetchall()) == (
        NAMES,
        TYPES,
        [("a", 1.5, (1 << 64) - 1)],
    )


def test_fetched_rows_are_sorted_blanks_last_and_without_the_columns_to_sort_by() -> None:
    made = Frame(None, (), (), (), ("a", f"{ORDER}0"), ("INTEGER", "INTEGER"), order=((1, True), (0, False)))
    rows = f"SELECT * FROM (VALUES (1, 5), (2, NULL), (3, 9), (0, 9)) t(a, {ORDER}0)"
    assert duckdb.sql(made.sorted(rows)).fetchall() == [(0,), (3,), (1,), (2,)]
    assert duckdb.sql(replace(made, most=2).sorted(rows)).fetchall() == [(0,), (3,)]
    assert len(duckdb.sql(replace(made, most=2, order=()).sorted(rows)).fetchall()) == 2
