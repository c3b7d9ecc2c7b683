"""Parquet files of one source of which one lacks a column's values."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from gdsfd.cohort.build import build_cohort
from tests.cohort.small_exports import events, spec


def told(folder: Path, *parts: pd.DataFrame) -> list[tuple[str, str]]:
    for number, part in enumerate(parts):
        part.to_parquet(folder / f"{number}.parquet", index=False)
    fields = {"item": "item", "value": "value", "time": "minute", "window": [0, 2880], "min_count": 1}
    entry = {"name": "vitals", "kind": "events", "source": str(folder / "*.parquet"), "id": "pid", **fields}
    cohort = build_cohort(spec([entry, {**entry, "name": "again"}]))
    found = [finding for finding in cohort.receipt.findings if "blank in this file" in finding.text]
    return [(Path(finding.where).name, finding.text) for finding in found]


def thirds() -> list[pd.DataFrame]:
    """Events in three files, each of some patients."""
    every = events().assign(text=None, note="x")
    which = every.pid.astype(int) % 3
    return [every[which == number].reset_index(drop=True) for number in range(3)]


def test_a_file_without_values_is_told_once(tmp_path: Path) -> None:
    first, second, third = thirds()
    second["value"] = np.nan
    ((name, text),) = told(tmp_path, first, second, third)
    assert name == "1.parquet"
    assert text.startswith(
        f"all {len(second):,} cells of column 'value' are blank in this file; of the others' rows 100% "
    )


def test_several_files_without_times(tmp_path: Path) -> None:
    first, second, third = thirds()
    for part in (first, third):
        part["minute"] = pd.array([None] * len(part), dtype="Int64")
    ((name, text),) = told(tmp_path, first, second, third)
    assert name in {"0.parquet", "2.parquet"}
    assert "column 'minute' are blank in this file, and so are those of 1 more files;" in text


def test_what_every_file_lacks_and_what_is_rare_or_not_read_is_no_finding(tmp_path: Path) -> None:
    first, second, third = thirds()
    second["note"] = None  # which no modality reads
    second["value"] = second.value.where(np.arange(len(second)) == 0)  # one is there
    first.loc[first.index % 2 == 0, "value"] = np.nan
    assert told(tmp_path, first, second, third) == []
    rare = [part.assign(value=part.value.where(np.arange(len(part)) % 8 == 0)) for part in (first, second, third)]
    rare[1]["value"] = np.nan
    assert told(tmp_path, *rare) == []
    short = second.head(99).assign(value=np.nan)
    assert told(tmp_path, first, short, third) == []
