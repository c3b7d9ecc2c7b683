from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import gdsfd
from gdsfd.cohort.sources.files import FileSet, find_files
from gdsfd.cohort.sources.parquet_columns import parquet_columns
from gdsfd.errors import InputError


def written(folder: Path, **files: list[str]) -> FileSet:
    """Parquet files with these columns, as one source."""
    for name, columns in files.items():
        table = pa.Table.from_arrays([pa.array([k]) for k in range(len(columns))], names=columns)
        pq.write_table(table, folder / f"{name}.parquet")
    return find_files("*.parquet", folder)


def test_names_are_as_written_in_the_order_of_the_first_file(tmp_path: Path) -> None:
    files = written(tmp_path, a=["pid", "Age", "age", "größe", " x "], b=["age", "Age", " x ", "größe", "pid"])
    assert parquet_columns(files).names == ["pid", "Age", "age", "größe", " x "]


def test_another_layout_is_refused_with_what_differs(tmp_path: Path) -> None:
    files = written(tmp_path, a=["pid", "age", "sex"], b=["pid", "age"], c=["pid", "age", "sex"])
    with pytest.raises(InputError, match=r"^b.parquet and a.parquet differ in columns 'sex'; one source needs one"):
        parquet_columns(files)


@pytest.mark.parametrize("cut", [200, -1])
def test_a_damaged_file_is_called_so(tmp_path: Path, cut: int) -> None:
    files = written(tmp_path, a=["pid"], b=["pid"])
    (tmp_path / "b.parquet").write_bytes((tmp_path / "b.parquet").read_bytes()[:cut])
    with pytest.raises(InputError, match=r"^b.parquet cannot be read: the Parquet file breaks off .*; copy it again"):
        parquet_columns(files)


def test_what_is_no_parquet_is_refused(tmp_path: Path) -> None:
    files = written(tmp_path, a=["pid"])
    (tmp_path / "a.parquet").write_text("pid\n1\n")
    with pytest.raises(InputError, match=r"a.parquet cannot be read: it is text, not Parquet"):
        parquet_columns(files)


def test_times_with_a_zone_in_one_file_only_are_refused(tmp_path):
    for name, zone in (("a", "UTC"), ("b", None)):
        times = pa.array([0], pa.timestamp("us", tz=zone))
        pq.write_table(pa.table({"pid": ["1"], "seen": times}), tmp_path / f"{name}.parquet")
    with pytest.raises(InputError, match="the times of column 'seen' have a zone in one and none in the other"):
        parquet_columns(find_files("*.parquet", tmp_path))


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("several", [False, True])
def test_durations_are_minutes_in_whatever_they_were_counted(tmp_path: Path, unit: str, several: bool) -> None:
    minutes = [5, 90, 1439, 0] * 40
    per_minute = {"s": 60, "ms": 60_000, "us": 60_000_000, "ns": 60_000_000_000}[unit]
    counted = pa.array([minute * per_minute for minute in minutes], pa.int64())
    rows = {"id": pa.array(range(160)), "item": pa.array(["hr"] * 160), "took": counted.cast(pa.duration(unit))}
    table = pa.table(rows)
    for k, part in enumerate([table[:80], table[80:]] if several else [table]):
        pq.write_table(part, tmp_path / f"{k}.parquet")
    cohort = pd.DataFrame({"id": range(160), "died": [k % 2 for k in range(160)]})
    shared = {"source": str(tmp_path / "*.parquet"), "id": "id"}
    graph = gdsfd.build_graph(
        gdsfd.CohortSpec(
            cohort={"source": cohort, "id": "id"},
            outcome={"name": "died", "column": "died", "positive": 1, "negative": 0},
            modality=[
                {"name": "table", "kind": "table", "columns": ["took"], **shared},
                {"name": "timed", "kind": "events", "item": "item", "time": "took", "window": [0, 1440], **shared},
                {"name": "valued", "kind": "events", "item": "item", "value": "took", **shared},
                {"name": "wide", "kind": "events", "values": ["took"], **shared},
            ],
        )
    )
    assert graph["patient", "table", "modality"].numeric[:, 0].tolist() == minutes
    assert graph["patient", "timed", "modality"].step.tolist() == [minute // 60 for minute in minutes]
    assert graph["patient", "valued", "modality"].value.tolist() == minutes
    assert graph["patient", "wide", "modality"].value.tolist() == minutes


def test_durations_counted_otherwise_in_another_file_are_refused(tmp_path: Path) -> None:
    for name, kind in (("a", pa.duration("ns")), ("b", pa.duration("us"))):
        pq.write_table(pa.table({"took": pa.array([60], kind)}), tmp_path / f"{name}.parquet")
    with pytest.raises(
        InputError, match=r"b.parquet and a.parquet: column 'took' .* counted in us in the one and in ns"
    ):
        parquet_columns(find_files("*.parquet", tmp_path))
    pq.write_table(pa.table({"took": pa.array([60])}), tmp_path / "b.parquet")
    with pytest.raises(InputError, match=r"column 'took' holds durations, counted not in the one and in ns"):
        parquet_columns(find_files("*.parquet", tmp_path))


def test_a_time_to_an_event_of_durations_is_no_number_of_days(tmp_path: Path) -> None:
    frame = pd.DataFrame({"id": range(60), "died": [k % 2 for k in range(60)]})
    frame["followed"] = pd.to_timedelta(frame.id + 5, unit="D")
    frame.to_parquet(tmp_path / "cohort.parquet")
    spec = gdsfd.CohortSpec(
        cohort={"source": str(tmp_path / "cohort.parquet"), "id": "id"},
        outcome={
            "name": "death",
            "kind": "survival",
            "time": "followed",
            "event": "died",
            "unit": "days",
        },
        modality=[{"name": "table", "kind": "table", "source": frame[["id"]].assign(age=5), "id": "id"}],
    )
    with pytest.raises(InputError, match=r"'followed' of cohort.parquet holds durations .* unit is 'days'"):
        gdsfd.build_graph(spec)
