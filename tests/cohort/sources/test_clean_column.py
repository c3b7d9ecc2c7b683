"""Each type of the database, reduced without losing a digit."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import duckdb
import pytest

from gdsfd.cohort.sources.clean_column import ZONED, cleaned_column


@pytest.mark.parametrize(
    ("cell", "kind", "value", "reduced"),
    [
        ("' a '", "VARCHAR", "a", "VARCHAR"),
        ("' '", "VARCHAR", None, "VARCHAR"),
        ("'nan'", "DOUBLE", None, "DOUBLE"),
        ("'inf'", "DOUBLE", float("inf"), "DOUBLE"),  # readers tell of it
        ("'nan'", "FLOAT", None, "FLOAT"),
        ("1.5", "FLOAT", 1.5, "FLOAT"),
        ("true", "BOOLEAN", True, "BOOLEAN"),
        ("7", "TINYINT", 7, "TINYINT"),
        (str(2**63 - 1), "BIGINT", 2**63 - 1, "BIGINT"),
        (str(2**64 - 1), "UBIGINT", 2**64 - 1, "UBIGINT"),
        (str(2**126), "HUGEINT", 2**126, "HUGEINT"),
        (f"'{2**127 + 1}'", "UHUGEINT", str(2**127 + 1), "VARCHAR"),
        ("9" * 18, "DECIMAL(18,0)", int("9" * 18), "BIGINT"),
        ("9" * 30, "DECIMAL(38,0)", Decimal("9" * 30), "DECIMAL(38,0)"),
        ("1.25", "DECIMAL(10,2)", 1.25, "DOUBLE"),
        ("'2150-01-01'", "DATE", date(2150, 1, 1), "DATE"),
        ("'2150-01-01 10:00'", "TIMESTAMP", datetime(2150, 1, 1, 10), "TIMESTAMP"),
        ("'2150-01-01 10:00'", "TIMESTAMP_S", datetime(2150, 1, 1, 10), "TIMESTAMP"),
        ("'2150-01-01 10:00'", "TIMESTAMP_NS", datetime(2150, 1, 1, 10), "TIMESTAMP"),
        ("'10:00:00'", "TIME", "10:00:00", "VARCHAR"),
        ("'2 hours 30 minutes'", "INTERVAL", 150.0, "DOUBLE"),
        ("'-1 days'", "INTERVAL", -1440.0, "DOUBLE"),
        ("'low'", "ENUM('low', 'high')", "low", "VARCHAR"),
        ("'  abc '", "BLOB", "abc", "VARCHAR"),
        ("'\\xFF'", "BLOB", "\\xFF", "VARCHAR"),  # no text: as the database writes it
        ("[1, 2]", "INTEGER[]", [1, 2], "INTEGER[]"),
        ("{'a': 1}", "STRUCT(a INTEGER)", {"a": 1}, "STRUCT(a INTEGER)"),
    ],
)
def test_values_keep_their_digits_and_types_become_few(cell: str, kind: str, value: Any, reduced: str) -> None:
    clean = cleaned_column('"x y"', kind)
    source = f'(SELECT CAST({cell} AS {kind}) AS "x y" UNION ALL SELECT NULL)'
    found = duckdb.sql(
        f"SELECT {clean} AS v, typeof({clean}) AS kind FROM {source} ORDER BY {clean} IS NULL"
    ).fetchall()
    assert found[0] == (value, reduced)
    assert type(found[0][0]) is type(value)
    assert found[1] == (None, reduced)


def test_a_time_with_a_zone_keeps_it() -> None:
    with duckdb.connect() as database:
        database.execute("SET TimeZone = 'UTC'")
        clean = cleaned_column("x", ZONED)
        source = "(SELECT TIMESTAMPTZ '2150-01-01 10:00+02' AS x)"
        found = database.sql(f"SELECT strftime({clean}, '%H:%M'), typeof({clean}) FROM {source}").fetchall()
        assert found == [("08:00", ZONED)]
