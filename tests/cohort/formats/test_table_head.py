from __future__ import annotations

from pathlib import Path

import duckdb
import pandas as pd

from gdsfd.cohort.formats.table_head import columns_of, has_rows, text_columns_of, zoned_columns_of


def test_columns_and_rows_of_every_kind_of_source(tmp_path: Path) -> None:
    full, empty = pd.DataFrame({"a": [1], "b": [2]}), pd.DataFrame({"a": [], "b": []})
    for name, frame in (("full", full), ("empty", empty)):
        frame.to_csv(tmp_path / f"{name}.csv", index=False)
        frame.to_csv(tmp_path / f"{name}.csv.gz", index=False)
        frame.to_parquet(tmp_path / f"{name}.parquet", index=False)
    with duckdb.connect(str(tmp_path / "d.duckdb")) as connection:
        connection.execute("CREATE TABLE full_one AS SELECT 1 AS a, 2 AS b")
        connection.execute("CREATE TABLE empty_one (a INTEGER, b INTEGER)")
    kinds = {"{}.csv", "{}.csv.gz", "{}.parquet", "d.duckdb::{}_one"}
    for kind in kinds:
        for name, rows in (("full", True), ("empty", False)):
            assert columns_of(kind.format(name), tmp_path) == ["a", "b"]
            assert has_rows(kind.format(name), tmp_path) is rows


def test_columns_of_several_parquet_files_together(tmp_path: Path) -> None:
    pd.DataFrame({"a": [1]}).to_parquet(tmp_path / "0.parquet")
    pd.DataFrame({"a": [1], "c": [2]}).to_parquet(tmp_path / "1.parquet")
    assert columns_of("*.parquet", tmp_path) == ["a", "c"]


def test_columns_that_are_stored_with_a_zone(tmp_path: Path) -> None:
    at = pd.to_datetime(pd.Series(["2020-01-01 10:00"]))
    frame = pd.DataFrame({"a": at, "b": at.dt.tz_localize("UTC"), "c": ["2020-01-01T10:00:00Z"]})
    frame.to_parquet(tmp_path / "t.parquet")
    frame.to_csv(tmp_path / "t.csv", index=False)
    with duckdb.connect(str(tmp_path / "d.duckdb")) as connection:
        connection.execute("CREATE TABLE t AS SELECT TIMESTAMP '2020-01-01' AS a, TIMESTAMPTZ '2020-01-01' AS b")
    assert zoned_columns_of("t.parquet", tmp_path) == {"b"}
    assert zoned_columns_of("d.duckdb::t", tmp_path) == {"b"}
    assert zoned_columns_of("t.csv", tmp_path) == frozenset()  # text has no type
    assert text_columns_of("t.parquet", tmp_path) == {"c"}
    assert text_columns_of("t.csv", tmp_path) == {"a", "b", "c"}
    assert text_columns_of("d.duckdb::t", tmp_path) == frozenset()
