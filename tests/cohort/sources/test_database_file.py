"""Tables of DuckDB and SQLite files as sources."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from gdsfd.cohort.build import build_cohort
from gdsfd.cohort.sources.database_file import database_kind, find_table, is_database_table, tables_of
from gdsfd.cohort.sources.sources import Sources
from gdsfd.errors import InputError
from tests.cohort.small_exports import events, labs, patients, spec


def write(file: Path, **frames: pd.DataFrame) -> Path:
    if file.suffix == ".sqlite":
        with sqlite3.connect(file) as database:
            for name, frame in frames.items():
                frame.to_sql(name, database, index=False)
        database.close()
        return file
    with duckdb.connect(str(file)) as database:
        for name, frame in frames.items():
            database.register("incoming", frame)
            database.execute(f"CREATE TABLE {name} AS SELECT * FROM incoming")
            database.unregister("incoming")
    return file


@pytest.fixture(params=["duckdb", "sqlite"])
def file(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return write(tmp_path / f"w.{request.param}", patients=patients(), labs=labs(), chart=events())


def test_the_same_spec_reads_the_same_from_a_database(file: Path) -> None:
    long = {"name": "chart", "kind": "events", "id": "pid", "time": "minute", "item": "item", "value": "value"}
    table = {"name": "labs", "kind": "table", "id": "pid", "missing": [-1], "min_level_count": 1}
    frames = build_cohort(spec([{**table, "source": labs()}, {**long, "source": events()}]), progress=False)
    named = [{**table, "source": f"{file.name}::labs"}, {**long, "source": f"{file}::chart"}]
    cohort = {"source": f"{file.name}::patients"}
    stored = build_cohort(spec(named, cohort=cohort, base_dir=file.parent), progress=False)
    assert stored.id == frames.id
    assert stored.split == frames.split
    assert stored.schema == frames.schema
    for name, observed in frames.observations.items():
        for field, array in vars(observed).items():
            np.testing.assert_array_equal(array, getattr(stored.observations[name], field))


def test_kinds_and_names(file: Path, tmp_path: Path) -> None:
    assert database_kind(file) == file.suffix[1:]
    assert tables_of(file) == ["chart", "labs", "patients"]
    assert find_table(f"{file.name}::labs", tmp_path).label == f"{file.name}::labs"
    assert is_database_table("a.duckdb::b")
    assert not is_database_table(Path("a.duckdb"))
    (tmp_path / "labs.csv").write_text("pid\n1\n")
    assert database_kind(tmp_path / "labs.csv") is None
    assert database_kind(tmp_path / "none") is None


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("{file}::lab", "Did you mean 'labs'"),
        ("none.duckdb::labs", "does not exist"),
        ("labs.csv::labs", "neither a DuckDB nor an SQLite"),
        ("{file}", "name one of its tables"),
        ("${NOWHERE}/a.duckdb::b", "NOWHERE"),
    ],
)
def test_wrong_names_are_refused(file: Path, tmp_path: Path, source: str, words: str) -> None:
    (tmp_path / "labs.csv").write_text("pid\n1\n")
    with Sources(tmp_path) as sources, pytest.raises(InputError, match=re.escape(words)):
        sources.open(source.format(file=file.name) if "{file}" in source else source, "modality 'labs'")


def test_a_broken_database_is_told_as_such(tmp_path: Path) -> None:
    (tmp_path / "w.sqlite").write_bytes(b"SQLite format 3\x00" + b"rubbish" * 200)
    with Sources(tmp_path) as sources, pytest.raises(InputError, match=r"w\.sqlite"):
        sources.open("w.sqlite::labs", "modality 'labs'")


def test_sqlite_columns_are_of_the_type_of_their_cells(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "w.sqlite") as database:
        database.execute("CREATE TABLE t (i INTEGER, r REAL, m, b BLOB, n)")
        rows = [(1, 0.5, "x", b"\x01", None), (2, 1, 7, None, None), (None, 2.5, None, b"\x02", None)]
        database.executemany("INSERT INTO t VALUES (?, ?, ?, ?, ?)", rows)
    database.close()
    read = find_table("w.sqlite::t", tmp_path).reader().read_all()
    assert read["i"].to_pylist() == [1, 2, None]
    assert read["r"].to_pylist() == [0.5, 1.0, 2.5]
    assert read["m"].to_pylist() == ["x", "7", None]
    assert read["n"].to_pylist() == [None, None, None]


def test_a_view_of_a_database_reads_no_other_file(tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_text("pid\n1\n")
    with duckdb.connect(str(tmp_path / "w.duckdb")) as database:
        database.execute(f"CREATE VIEW spy AS SELECT * FROM read_csv('{tmp_path}/secret.csv')")
        database.execute("CREATE SCHEMA s; CREATE TABLE s.labs AS SELECT 'a' AS pid, 'up'::ENUM ('up', 'down') AS way")
    with Sources(tmp_path) as sources:
        with pytest.raises(InputError, match="spy"):
            sources.open("w.duckdb::spy", "modality 'labs'")
        assert sources.open("w.duckdb::s.labs", "modality 'labs'").columns == ("pid", "way")
