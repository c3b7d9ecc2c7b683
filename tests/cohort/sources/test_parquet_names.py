from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gdsfd.cohort.sources.files import FileSet, find_files
from gdsfd.cohort.sources.parquet_names import parquet_names
from gdsfd.errors import InputError


def written(folder: Path, **files: list[str]) -> FileSet:
    """Parquet files with these columns, as one source."""
    for name, columns in files.items():
        table = pa.Table.from_arrays([pa.array([k]) for k in range(len(columns))], names=columns)
        pq.write_table(table, folder / f"{name}.parquet")
    return find_files("*.parquet", folder)


def test_names_are_as_written_in_the_order_of_the_first_file(tmp_path: Path) -> None:
    files = written(tmp_path, a=["pid", "Age", "age", "größe", " x "], b=["age", "Age", " x ", "größe", "pid"])
    assert parquet_names(files) == ["pid", "Age", "age", "größe", " x "]


def test_another_layout_is_refused_with_what_differs(tmp_path: Path) -> None:
    files = written(tmp_path, a=["pid", "age", "sex"], b=["pid", "age"], c=["pid", "age", "sex"])
    with pytest.raises(InputError, match=r"^b.parquet and a.parquet differ in columns 'sex'; one source needs one"):
        parquet_names(files)


@pytest.mark.parametrize("cut", [200, -1])
def test_a_damaged_file_is_called_so(tmp_path: Path, cut: int) -> None:
    files = written(tmp_path, a=["pid"], b=["pid"])
    (tmp_path / "b.parquet").write_bytes((tmp_path / "b.parquet").read_bytes()[:cut])
    with pytest.raises(InputError, match=r"^b.parquet cannot be read: the Parquet file breaks off .*; copy it again"):
        parquet_names(files)


def test_what_is_no_parquet_is_refused(tmp_path: Path) -> None:
    files = written(tmp_path, a=["pid"])
    (tmp_path / "a.parquet").write_text("pid\n1\n")
    with pytest.raises(InputError, match=r"a.parquet cannot be read: it is text, not Parquet"):
        parquet_names(files)


def test_times_with_a_zone_in_one_file_only_are_refused(tmp_path):
    for name, zone in (("a", "UTC"), ("b", None)):
        times = pa.array([0], pa.timestamp("us", tz=zone))
        pq.write_table(pa.table({"pid": ["1"], "seen": times}), tmp_path / f"{name}.parquet")
    with pytest.raises(InputError, match="the times of column 'seen' have a zone in one and none in the other"):
        parquet_names(find_files("*.parquet", tmp_path))
