"""Tiny data sets in MEDS's and OMOP's layout, row by row."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

MEDS_COLUMNS = ("subject_id", "time", "code", "numeric_value")


def write_tiny_meds(
    folder: Path,
    events: Sequence[tuple[Any, ...]],
    labels: pd.DataFrame,
    splits: dict[int, str] | None = None,
    columns: Sequence[str] = MEDS_COLUMNS,
) -> Path:
    """Writes ``data/0.parquet``, ``labels.parquet`` and, where told, the splits; returns the folder."""
    (folder / "data").mkdir(parents=True)
    (folder / "metadata").mkdir()
    frame = pd.DataFrame(list(events), columns=list(columns))
    frame["time"] = pd.to_datetime(frame["time"], format="ISO8601")
    if "numeric_value" in frame:
        frame["numeric_value"] = frame["numeric_value"].astype("float32")
    frame.to_parquet(folder / "data" / "0.parquet", index=False)
    labels = labels.assign(prediction_time=pd.to_datetime(labels["prediction_time"], format="ISO8601"))
    labels.to_parquet(folder / "labels.parquet", index=False)
    if splits is not None:
        told = pd.DataFrame({"subject_id": list(splits), "split": list(splits.values())})
        told.to_parquet(folder / "metadata" / "subject_splits.parquet", index=False)
    return folder


def two_labels_each(people: int = 12) -> pd.DataFrame:
    """Each person has two labels, at noon of 2 and of 4 January, of different value."""
    return pd.DataFrame(
        {
            "subject_id": [person for person in range(people) for _ in range(2)],
            "prediction_time": ["2020-01-02 12:00", "2020-01-04 12:00"] * people,
            "boolean_value": [False, True] * people,
        }
    )


def a_lab_a_day(people: int = 12) -> list[tuple[Any, ...]]:
    """Of each person one value on each of the first five days of January at 11:00, the day's number."""
    return [
        (person, f"2020-01-{day:02d} 11:00", "LAB//x", float(day)) for person in range(people) for day in range(1, 6)
    ]


def write_tiny_omop(folder: Path, tables: dict[str, dict[str, list[Any]]]) -> Path:
    """Writes CSVs; a table ``person`` of twelve people and labels as in :func:`two_labels_each` unless told."""
    folder.mkdir(parents=True, exist_ok=True)
    people = list(range(12))
    tables = {"person": {"person_id": people, "gender_concept_id": [8507, 8532] * 6}, **tables}
    for name, columns in tables.items():
        pd.DataFrame(columns).to_csv(folder / f"{name}.csv", index=False)
    if "labels" not in tables:
        two_labels_each().to_csv(folder / "labels.csv", index=False)
    return folder
