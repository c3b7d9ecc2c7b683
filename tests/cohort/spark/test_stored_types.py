from __future__ import annotations

from typing import Any

import duckdb
import pytest

from gdsfd.cohort.spark.stored_types import duckdb_type, spark_type, stored_as

VALUES = {
    "BOOLEAN": "true",
    "TINYINT": "-128",
    "UTINYINT": "255",
    "USMALLINT": "65535",
    "UINTEGER": "4294967295",
    "BIGINT": "-9223372036854775808",
    "UBIGINT": "18446744073709551615",
    "HUGEINT": "99999999999999999999999999999999999999",
    "DECIMAL(10,2)": "'12345678.91'",
    "FLOAT": "0.1",
    "DOUBLE": "0.1",
    "VARCHAR": "'é\\n'",
    "DATE": "'0001-01-01'",
    "TIME": "'23:59:59.123456'",
    "TIMESTAMP": "'2150-01-31 10:00:00.123456'",
    "TIMESTAMP WITH TIME ZONE": "'2150-01-31 10:00:00+02'",
    "INTERVAL": "'3 days 04:05:06.7'",
    "UUID": "'123e4567-e89b-12d3-a456-426614174000'",
    "BLOB": "'\\xFF\\x00'",
    "DOUBLE[]": "[1.5, NULL]",
    "UBIGINT[]": "[18446744073709551615]",
    "STRUCT(a INTEGER, b VARCHAR)": "{'a': 1, 'b': 'x'}",
}


@pytest.mark.parametrize("kind", VALUES)
def test_nothing_is_lost_on_the_way_to_spark_and_back(kind: str) -> None:
    query = f"SELECT x = CAST(CAST(x AS {stored_as(kind)}) AS {kind}) FROM (SELECT CAST({VALUES[kind]} AS {kind}) AS x)"
    assert duckdb.sql(query).fetchall() == [(True,)]


def test_types_of_spark_are_those_of_duckdb_that_are_stored_as_they_are(spark: Any) -> None:
    types: Any = pytest.importorskip("pyspark.sql.types")
    for kind in VALUES:
        found = duckdb_type(types.DataType.fromDDL(spark_type(kind)))
        assert found == stored_as(kind)
    assert duckdb_type(types.VarcharType(10)) == "VARCHAR"
    assert duckdb_type(types.DataType.fromDDL("map<string, int>")) is None
    assert duckdb_type(types.DataType.fromDDL("array<struct<a: int>>")) is None
