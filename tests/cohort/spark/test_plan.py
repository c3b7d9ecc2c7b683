from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pytest

from gdsfd.cohort.sources.database import Database
from gdsfd.cohort.spark.plan import Plan
from gdsfd.cohort.spark.spark_database import SparkDatabase

TEXTS = [
    "1",
    " 1.5 ",
    "1_000",
    "1e5",
    "1d",
    "0x10",
    "nan",
    "inf",
    "",
    None,
    "Ä",
    "a'b",
    "2020-1-5",
    "-0.0",
    "\\n",
    "x\n",
]


def fill(database: Database) -> None:
    rows = len(TEXTS) * 3
    labs = pa.table(
        {
            "id": pa.array([f"{k % 5:02d}" for k in range(rows)]),
            "text": pa.array(TEXTS * 3, pa.string()),
            "value": pa.array([None if k % 7 == 0 else k / 3 - 2 for k in range(rows)], pa.float64()),
            'Odd "name.x`': pa.array([k % 4 == 0 for k in range(rows)]),
            "big": pa.array([(1 << 63) + k for k in range(rows)], pa.uint64()),
            "row": pa.array(range(rows), pa.int64()),
        }
    )
    database.store("labs", labs)
    database.store(
        "patients", pa.table({"pid": ["01", "02", "03", "09"], "number": pa.array([0, 1, 2, 3], pa.int32())})
    )


@pytest.fixture(scope="module")
def databases(spark: Any) -> Iterator[tuple[Database, SparkDatabase]]:
    with Database() as one, SparkDatabase(spark) as other:
        fill(one)
        fill(other)
        yield one, other


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM labs",
        'SELECT * EXCLUDE ("value", big) FROM (SELECT *, row + 1 AS next FROM labs) WHERE next % 2 = 0',
        "SELECT TRY_CAST(text AS DOUBLE) AS a, CAST(value AS VARCHAR) AS b, row // 4 AS c, value / 0 AS d FROM labs",
        "SELECT upper(text), length(text), strlen(text), md5(text), regexp_matches(text, '^x$') FROM labs",
        "SELECT CAST(TRY_CAST(text AS TIMESTAMP) AS VARCHAR) AS t, DATE '2020-01-31' - CAST(row AS INTEGER) FROM labs",
        "SELECT count(*), count(text), count(DISTINCT text), sum(row), min(text), max(text), sum(big) FROM labs",
        "SELECT count(*) FILTER (WHERE value > 3), min(text) FILTER (WHERE text <> '1') FROM labs WHERE row > 4",
        "SELECT sum(value > 1), sum(value > 99), max(value) FROM labs",
        "SELECT count(*) + 1 AS n, max(value) > 3 AS large FROM labs WHERE false",
        "SELECT id, count(*) AS n, sum(CASE WHEN value > 0 THEN 1 END) AS s FROM labs GROUP BY id HAVING count(*) > 2",
        "SELECT upper(text) AS t, count(*) FROM labs GROUP BY 1",
        "SELECT row % 2 AS odd, min(text, 3) AS few, count(*) FROM labs GROUP BY 1",
        "SELECT row % 2 AS odd, min(text, 3) AS few, count(*) FROM labs WHERE text IS NULL GROUP BY 1",
        "SELECT odd, sum(n), min(id, 3), count(id) FROM "
        "(SELECT row % 2 AS odd, id, count(*) AS n FROM labs GROUP BY 1, 2) GROUP BY 1",
        "SELECT row % 2 AS odd, max(id), count(DISTINCT id) FROM labs GROUP BY 1",
        "SELECT DISTINCT text, row % 2 = 0 AS even FROM labs",
        "SELECT l.text, p.number FROM labs l LEFT JOIN patients p ON l.id = p.pid",
        "SELECT p.pid, l.row * 2 AS twice FROM patients p JOIN labs l ON p.pid = l.id WHERE l.value > 1",
        "SELECT a.row, b.text FROM labs a JOIN labs b ON a.row = b.row",
        "SELECT row FROM labs WHERE NOT (id IN (SELECT pid FROM patients))",
        "SELECT * FROM labs WHERE NOT coalesce(NOT (id IN (SELECT pid FROM patients)), false)",
        "SELECT row, unnest([1, 2]) AS k, unnest([value, value + 1]) AS v FROM labs",
        "WITH few AS (SELECT id, value FROM labs WHERE value < 9) SELECT count(*) FROM few",
        'SELECT big, "Odd ""name.x`" AS odd FROM labs',
    ],
)
def test_a_query_gives_on_spark_what_it_gives_in_duckdb(databases: Any, query: str) -> None:
    one, other = databases
    expected, found = one.arrow(query), other.arrow(query)
    assert found.schema.types == expected.schema.types
    assert sorted(map(repr, zip(*found.to_pydict().values()))) == sorted(map(repr, zip(*expected.to_pydict().values())))


@pytest.mark.parametrize(
    "query",
    [
        "SELECT text, row FROM labs ORDER BY text, row",
        "SELECT text, row FROM labs ORDER BY value DESC, 2",
        "SELECT row FROM labs ORDER BY lower(text), id, row LIMIT 7",
        "SELECT DISTINCT left(text, 2), id FROM labs ORDER BY 2, 1 LIMIT 5",
        "SELECT DISTINCT t.text AS cell, t.id AS patient FROM labs AS t ORDER BY t.id, t.text LIMIT 5",
        "SELECT *, row + 1 AS next FROM (SELECT row, id FROM labs) ORDER BY row + 1 DESC LIMIT 5",
    ],
)
def test_an_order_is_kept(databases: Any, query: str) -> None:
    one, other = databases
    assert other.rows(query) == one.rows(query)


@pytest.mark.parametrize(
    "query",
    [
        "SELECT avg(value) FROM labs",  # a mean depends on the order of the sum
        "SELECT row_number() OVER () FROM labs",
        "SELECT min(text, 3), count(DISTINCT id) FROM labs",
        "SELECT 1 UNION ALL SELECT 2",
        "SELECT l.row FROM labs l JOIN patients p ON l.id < p.pid",
        "SELECT * FROM labs l JOIN patients p ON l.id = p.pid",
        "SELECT l.row FROM labs l FULL JOIN patients p ON l.id = p.pid",
    ],
)
def test_what_has_no_plan_is_refused(databases: Any, query: str) -> None:
    with pytest.raises(NotImplementedError, match=r"no plan|beside a join"):
        databases[1].rows(query)


def test_only_columns_that_are_needed_travel() -> None:
    asked: list[str] = []

    class Recorder(Plan):
        def _item(self, item: Any, known: Any, needed: Any) -> Any:
            asked.append(sorted(needed))  # type: ignore[arg-type]
            raise LookupError

    with pytest.raises(LookupError):
        Recorder({}, lambda query: {}).frame("SELECT a AS x FROM (SELECT a, b, c FROM t WHERE d > 0)")
    assert asked == [["a"]]
