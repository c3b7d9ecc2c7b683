from __future__ import annotations

import importlib
import pickle
import sys
import zipfile
import zipimport
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pytest

from gdsfd.cohort.spark.on_workers import ARRIVING, FoldRows, MapRows, _database, bytes_of, told_by_worker


def batches(*columns: list[str]) -> list[pa.RecordBatch]:
    return [pa.RecordBatch.from_pydict({"c0": pa.array(column, pa.string())}) for column in columns]


def test_a_query_sees_all_batches_and_may_change_their_number_of_rows() -> None:
    mapped = pickle.loads(pickle.dumps(MapRows(f"SELECT TRY_CAST(c0 AS DOUBLE) AS c0 FROM {ARRIVING} WHERE c0 <> 'x'")))
    found = pa.Table.from_batches(mapped(batches(["1", "x"], [], ["1e2", "one"])))
    assert found["c0"].to_pylist() == [1.0, 100.0, None]
    assert list(mapped([])) == []


def test_a_small_table_goes_along() -> None:
    query = f"SELECT c0 FROM {ARRIVING} JOIN few USING (c0)"
    mapped = pickle.loads(pickle.dumps(MapRows(query, {"few": pa.table({"c0": ["b", "c"]})})))
    assert pa.Table.from_batches(mapped(batches(["a", "b"], ["c"])))["c0"].to_pylist() == ["b", "c"]


def test_a_join_holds_what_goes_along_and_not_what_arrives() -> None:
    connection = _database().cursor()
    batch = pa.record_batch({"id": ["a"]})
    connection.register(ARRIVING, pa.RecordBatchReader.from_batches(batch.schema, iter([batch])))
    connection.register("small", pa.table({"id": ["a"] * 1000}))
    plan = connection.sql(f"EXPLAIN SELECT count(*) FROM {ARRIVING} l LEFT JOIN small r ON l.id = r.id").fetchall()
    assert "Join Type: LEFT" in plan[0][1]  # of a RIGHT join it is the left side that is held


def test_rows_in_pieces_arrive_as_bytes_or_as_paths_of_files(tmp_path: Path) -> None:
    pieces = [bytes_of(pa.table({"c0": column})) for column in (["a", "b"], ["c"])]
    paths = [tmp_path / str(k) for k in range(len(pieces))]
    for path, piece in zip(paths, pieces):
        path.write_bytes(piece)
    query = f"SELECT upper(c0) AS c0 FROM {ARRIVING} WHERE c0 <> 'b'"
    for kind, arriving in ((pa.binary(), pieces), (pa.string(), list(map(str, paths)))):
        batch = pa.RecordBatch.from_pydict({"c0": pa.array(arriving, kind)})
        assert pa.Table.from_batches(MapRows(query, packed=True)([batch]))["c0"].to_pylist() == ["A", "C"]


def test_all_that_arrives_is_taken_though_the_query_needs_less() -> None:
    """Spark ends a process that has rows left, which costs a second."""
    arriving = iter(batches(*([str(k)] for k in range(50))))
    found = list(MapRows(f"SELECT c0 FROM {ARRIVING} LIMIT 1")(arriving))
    assert sum(map(len, found)) == 1
    assert next(arriving, None) is None


def test_archives_are_forgotten_after_a_task(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with zipfile.ZipFile(tmp_path / "archive.zip", "w") as archive:
        archive.writestr("in_an_archive.py", "here = True")
    monkeypatch.syspath_prepend(str(tmp_path / "archive.zip"))
    assert importlib.import_module("in_an_archive").here
    list(MapRows(f"SELECT c0 FROM {ARRIVING}")(batches(["a"])))
    assert not any(isinstance(finder, zipimport.zipimporter) for finder in sys.path_importer_cache.values())


def test_what_duckdb_says_is_told_to_the_driver() -> None:
    with pytest.raises(RuntimeError) as caught:
        list(MapRows(f"SELECT CAST(c0 AS DOUBLE) AS c0 FROM {ARRIVING}")(batches(['7 "mg"'])))
    told = told_by_worker(
        f"pyspark.errors.PythonException: Traceback ...\nRuntimeError: {caught.value}\n\tat org.apache"
    )
    assert told is not None
    assert told.startswith("Conversion Error: Could not convert string '7 \"mg\"' to DOUBLE")
    assert told_by_worker("java.lang.OutOfMemoryError") is None


@pytest.mark.parametrize("query", ["SELECT * FROM '/etc/passwd'", "SELECT * FROM read_csv('/etc/passwd')"])
def test_a_query_reaches_no_file(query: str) -> None:
    with pytest.raises(RuntimeError, match=r"disabled|does not exist"):
        list(MapRows(query)(batches(["a"])))


def test_another_version_on_a_worker_is_refused() -> None:
    mapped = MapRows(f"SELECT c0 FROM {ARRIVING}")
    mapped.version = "0.0.1"
    with pytest.raises(RuntimeError, match=r"gdsfd 0\.0\.1 builds, but a Spark worker has gdsfd .*: install the same"):
        list(mapped(batches(["a"])))


def test_rows_are_folded_into_one_piece() -> None:
    class Count:
        def __call__(self, rows: Iterable[pa.RecordBatch]) -> int:
            return sum(len(batch) for batch in rows)

        def packed(self, folded: int) -> bytes:
            return str(folded).encode()

        def unpacked(self, packed: bytes) -> int:
            return int(packed)

    assert [batch.to_pydict() for batch in FoldRows(Count())(batches(["a", "b"], ["c"]))] == [{"c0": [b"3"]}]
