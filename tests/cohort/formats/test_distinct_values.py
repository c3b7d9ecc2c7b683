"""Values of a column, whatever the table is stored as."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pandas as pd

from gdsfd.cohort.formats.distinct_values import distinct_values


def test_values_of_csv_parquet_and_database(tmp_path: Path) -> None:
    frame = pd.DataFrame({"id": [1, 2, 3, 4], "name": ["b", "a", None, "b"], "number": [7, 7, 8, 9]})
    frame.to_csv(tmp_path / "t.csv", index=False)
    frame.to_parquet(tmp_path / "t.parquet")
    with duckdb.connect(str(tmp_path / "t.duckdb")) as connection:
        connection.execute("CREATE TABLE t AS SELECT * FROM frame")
    for source in ("t.csv", "t.parquet", "t.duckdb::t"):
        assert distinct_values(source, tmp_path, "name") == ["a", "b"]
        assert distinct_values(source, tmp_path, "number") == ["7", "8", "9"]
