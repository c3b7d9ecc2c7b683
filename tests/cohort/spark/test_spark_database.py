from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from gdsfd.cohort.spark.session import SIZES_PARTS
from gdsfd.cohort.spark.spark_database import SparkDatabase, first_line
from gdsfd.errors import InputError


def test_tables_views_and_what_is_put_into_them(spark: Any) -> None:
    with SparkDatabase(spark) as database:
        stored = database.store("labs", pa.table({"id": ["a", "b", "b"], "x": [1, 2, 3]}))
        assert database.fetch(stored.filter(stored.x > 1).select("id")).to_pydict() == {"id": ["b", "b"]}
        database.run("CREATE TABLE kept AS SELECT x, id FROM labs WHERE x > 1 ORDER BY x")
        assert database.count("kept") == 2
        database.run("CREATE TABLE more (x BIGINT, id VARCHAR)")
        database.run("INSERT INTO more SELECT x + 10, id FROM kept")
        database.run("INSERT INTO more SELECT CAST(7 AS INTEGER), id FROM kept WHERE x = 2")
        assert database.count("more") == 3
        assert database.rows("SELECT x, id FROM more ORDER BY x") == [(7, "b"), (12, "b"), (13, "b")]
        seen = database.view(database.table("more").filter(database.table("more").x > 10))
        assert database.count(seen.get_name()) == 2
        database.lay_over(
            "view_of",
            "SELECT lower(upper(id)) AS low, x FROM (SELECT id, x FROM labs)",
            "labs",
            {"low": ["id"], "x": ["x"]},
        )
        assert database.rows("SELECT low, sum(x) FROM view_of GROUP BY 1 ORDER BY 1") == [("a", 1), ("b", 5)]
        assert database.types("view_of") == {"low": "VARCHAR", "x": "BIGINT"}
        cached = spark._jsparkSession.sharedState().cacheManager()
        assert not cached.isEmpty()
    assert cached.isEmpty()  # nothing of it stays in the session
    assert spark.catalog.listTables() == []


def test_what_duckdb_says_on_a_worker_is_told_as_if_it_were_said_here(spark: Any) -> None:
    with SparkDatabase(spark) as database:
        database.store("labs", pa.table({"x": ["1", "two"]}))
        with pytest.raises(duckdb.Error, match="Conversion Error: Could not convert string 'two' to DOUBLE"):
            database.rows("SELECT sum(CAST(x AS DOUBLE) > 1) FROM labs")
        message = r"labs\.csv cannot be read: Conversion Error: .* 'two'"
        with pytest.raises(InputError, match=message), database.reading("labs.csv"):
            database.rows("SELECT CAST(x AS DOUBLE) FROM labs")
        with pytest.raises(duckdb.Error, match="y"):
            database.check("SELECT y FROM labs")


@pytest.mark.parametrize("here", [True, False])
def test_rows_that_are_sent_lie_in_pieces_wherever_the_workers_are(
    spark: Any, monkeypatch: pytest.MonkeyPatch, here: bool
) -> None:
    monkeypatch.setattr(SparkDatabase, "_workers_are_here", lambda database: here)
    monkeypatch.setattr("gdsfd.cohort.spark.spark_database._PIECE_BYTES", 100)
    monkeypatch.setattr("gdsfd.cohort.spark.spark_database._MOST_PIECE_BYTES", 1000)
    with SparkDatabase(spark) as database:
        database.store("labs", pa.table({"id": [str(k % 3) for k in range(1000)], "x": list(range(1000))}))
        assert database.rows("SELECT id, sum(x), count(*) FROM labs GROUP BY 1 ORDER BY 1") == [
            (str(k), sum(range(k, 1000, 3)), len(range(k, 1000, 3))) for k in range(3)
        ]
        assert bool(list(database.folder.glob("sent_*"))) is here
    assert spark._jsparkSession.sharedState().cacheManager().isEmpty()


def test_a_small_table_goes_to_the_workers_with_what_is_still_to_be_done_with_it(spark: Any) -> None:
    with SparkDatabase(spark) as database:
        database.store("labs", pa.table({"id": ["a", "b", "b"], "x": [1, 2, 3]}))
        database.store("patients", pa.table({"key": ["A", "B"], "row": [0, 1], "note": ["", ""]}))
        query = (
            "SELECT l.x, p.row FROM labs l LEFT JOIN (SELECT lower(key) AS id, row FROM patients WHERE row > 0) p "
            "ON l.id = p.id ORDER BY 1"
        )
        assert database.rows(query) == [(1, None), (2, 1), (3, 1)]
        plan = database._plan.frame(query).worked_out()._jdf.queryExecution().toString()
        assert "Join" not in plan


def test_a_session_of_the_build_has_more_parts_the_more_rows_there_are(
    spark: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = "spark.sql.shuffle.partitions"
    before = spark.conf.get(parts)
    monkeypatch.setattr("gdsfd.cohort.spark.spark_database._SHUFFLED_ROWS", 10)
    try:
        with SparkDatabase(spark) as database:
            database.store("few", pa.table({"x": list(range(15))}))
            assert spark.conf.get(parts) == before
            database.store("many", pa.table({"x": list(range(95))}))
            assert spark.conf.get(parts) == "10"
            assert database.rows("SELECT count(*), sum(a.x) FROM many a JOIN many b ON a.x = b.x") == [(95, 4465)]
        spark.conf.set(parts, before)
        spark.conf.set(SIZES_PARTS, "false")  # as in a session of the caller's
        with SparkDatabase(spark) as database:
            database.store("many", pa.table({"x": list(range(95))}))
        assert spark.conf.get(parts) == before
    finally:
        spark.conf.set(parts, before)
        spark.conf.set(SIZES_PARTS, "true")


class Sum:
    """The sum of each owner's values, in the order of its rows."""

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> dict[int, list[int]]:
        found: dict[int, list[int]] = {}
        for batch in batches:
            for key, value in zip(batch["key"].to_pylist(), batch["value"].to_pylist()):
                found.setdefault(key // 10, []).append(value)
        return found

    def packed(self, folded: dict[int, list[int]]) -> bytes:
        return repr(folded).encode()

    def unpacked(self, packed: bytes) -> dict[int, list[int]]:
        return eval(packed)


@pytest.mark.parametrize("most", [20, 1 << 21])
def test_an_owner_is_folded_in_one_place_and_in_order(spark: Any, monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    monkeypatch.setattr("gdsfd.cohort.spark.spark_database._ROWS_WORTH_A_PART", 10)
    monkeypatch.setattr("gdsfd.cohort.spark.spark_database._FOLDED_ROWS", most)
    with SparkDatabase(spark) as database:
        rows = database.store("rows", pa.table({"value": list(range(60)), "key": [k * 7 % 50 for k in range(60)]}))
        parts = database.fold(rows, ("key", "value"), 10, Sum())
        assert len(parts) > 1
        found = [pair for part in parts for pair in part.items()]
        pairs = sorted((k * 7 % 50, k) for k in range(60))
        assert sorted(found) == [(owner, [v for key, v in pairs if key // 10 == owner]) for owner in range(5)]


def test_the_first_line_of_a_long_trace() -> None:
    error = RuntimeError("An error occurred while calling o1.sql\nCaused by: java.io.IOException: no such host\n\tat x")
    assert first_line(error) == "java.io.IOException: no such host"
    assert first_line(RuntimeError()) == "RuntimeError"
