"""A file of labels in MEDS's label schema: who is predicted when, and what is to be predicted."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from gdsfd.cohort.formats.table_head import columns_of
from gdsfd.cohort.keys.spellings import parse_scalar, reads_as_missing
from gdsfd.cohort.patients.outcome_values import sentinels
from gdsfd.cohort.sources.files import FileSet, find_files
from gdsfd.cohort.sources.path_variables import expand_variables
from gdsfd.errors import InputError, shown

__all__ = ["LabelFile", "read_label_file"]

_KEYS = ("subject_id", "prediction_time")
_VALUES = ("boolean_value", "integer_value", "float_value", "categorical_value")
_MOST_CLASSES = 100


@dataclass(frozen=True)
class LabelFile:
    """Labels.

    Args:
        source: Their path or glob as a spec has it.
        label: What messages call them.
        moments: Whose label is for when: ``subject_id`` (text) and ``prediction_time``.
        outcome: The entry ``[outcome]``; None where no label says what to predict.
        why: Why there is no outcome.
    """

    source: str
    label: str
    moments: pa.Table
    outcome: dict[str, Any] | None
    why: str = ""


def read_label_file(written: str, base_dir: Path) -> LabelFile:
    """Reads labels as far as a spec needs them.

    Args:
        written: File, glob or folder, relative to ``base_dir`` unless absolute.
        base_dir: The spec's folder.

    Raises:
        InputError: No such file, or one without ``subject_id`` and ``prediction_time``.
    """
    folder = os.path.join(base_dir, os.path.expanduser(expand_variables(written)))
    source = os.path.join(written, "**", "*.parquet") if os.path.isdir(folder) else written
    files = find_files(source, base_dir)
    columns = columns_of(source, base_dir)
    absent = [name for name in _KEYS if name not in columns]
    if absent:
        raise InputError(
            f"labels {files.label} have no column {absent[0]!r}; expected MEDS's label schema: subject_id, "
            f"prediction_time and a value. They have {shown(columns, 12)}"
        )
    table = _read(files, [name for name in columns if name in (*_KEYS, *_VALUES)])
    moments = pa.table(
        {
            "subject_id": pa.array(table["subject_id"].convert_dtypes().astype("string"), pa.string()),
            "prediction_time": pa.array(_stamps(table["prediction_time"]), pa.timestamp("us")),
        }
    )
    outcome, why = _outcome(table, Path(written).name.split(".")[0] or "label")
    return LabelFile(source, files.label, moments, outcome, f"labels {files.label} {why}" if why else "")


def _read(files: FileSet, columns: list[str]) -> pd.DataFrame:
    if files.parquet:
        return pd.concat([pq.read_table(path, columns=columns).to_pandas() for path in files.paths], ignore_index=True)
    parts = [
        pd.read_csv(path, usecols=columns, dtype=str, keep_default_na=False, na_values=[""], sep=None, engine="python")
        for path in files.paths
    ]
    return pd.concat(parts, ignore_index=True)


def _stamps(cells: pd.Series) -> Any:
    """Times, those with an offset in UTC. What is none is left out here, and told with its row by the build."""
    read = pd.to_datetime(cells, errors="coerce", format=None if cells.dtype.kind == "M" else "ISO8601", utc=True)
    return read.dt.tz_localize(None).astype("datetime64[us]")


def _outcome(table: pd.DataFrame, name: str) -> tuple[dict[str, Any] | None, str]:
    """What the labels say is to be predicted."""
    held = [column for column in _VALUES if column in table and table[column].notna().any()]
    if len(held) != 1:
        what = "no value" if not held else f"several values, {shown(held)}"
        return None, f"have {what}: say under [outcome] which column is predicted"
    column = held[0]
    if column == "boolean_value":
        return {"name": name, "column": column, "positive": [True], "negative": [False]}, ""
    if column == "float_value":
        return None, "are numbers (float_value): only classes are predicted; derive one, and name it under [outcome]"
    values = sorted({_whole(value) for value in table[column].dropna()}, key=lambda text: (len(text), text))
    if column == "integer_value":
        if set(values) <= {"0", "1"}:
            return {"name": name, "column": column, "positive": [1], "negative": [0]}, ""
        numbers = {float(value) for value in values if parse_scalar(value) is not None}
        odd = [value for value in values if parse_scalar(value) in sentinels(numbers)]
        if odd:
            return None, f"have {shown(odd)} beside other numbers, which may stand for no answer: say under [outcome]"
    missing = [value for value in values if reads_as_missing(value)] if column == "categorical_value" else []
    values = [value for value in values if value not in missing]
    if column == "categorical_value":
        values.sort()
    if not 2 <= len(values) <= _MOST_CLASSES:
        return None, f"have {len(values):,} different values ({shown(values, 3)}): say under [outcome] what is meant"
    outcome = {"name": name, "column": column, "classes": values}
    return {**outcome, **({"missing": sorted(missing)} if missing else {})}, ""


def _whole(value: Any) -> str:
    """A value as text; whole numbers beside blanks are floats in a DataFrame."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
