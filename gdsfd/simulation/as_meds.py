"""A simulated cohort as a MEDS data set: shards of events, metadata, labels, and a spec of a few lines."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from gdsfd._version import __version__
from gdsfd.simulation.recorded import Recorded

__all__ = ["write_meds"]

_SHARDS = 2
_PREFIX = {"labs": "LAB", "vitals": "VITAL"}
_DATA = pa.schema(
    [
        pa.field("subject_id", pa.int64(), nullable=False),
        pa.field("time", pa.timestamp("us")),
        pa.field("code", pa.string(), nullable=False),
        pa.field("numeric_value", pa.float32()),
        pa.field("text_value", pa.large_string()),
    ]
)
_LABELS = pa.schema(
    [
        pa.field("subject_id", pa.int64(), nullable=False),
        pa.field("prediction_time", pa.timestamp("us"), nullable=False),
        pa.field("boolean_value", pa.bool_(), nullable=False),
    ]
)
_DAYS_PER_YEAR = 365.25


def write_meds(folder: Path, recorded: Recorded) -> None:
    """Writes ``data/``, ``metadata/``, ``labels/deterioration.parquet``, ``subjects.parquet`` and ``spec.toml``.

    A patient without a label has none in MEDS, and so is in no cohort. ``subjects.parquet`` is no part of MEDS: it says
    where persons were treated and to which groups they belong, for the spec to join.

    Args:
        folder: Where to.
        recorded: What was recorded.
    """
    first = recorded.stays.drop_duplicates("subject")
    rows = pd.concat([_events(recorded), _of_persons(first)], ignore_index=True)
    rows = rows.sort_values(["subject_id", "time", "code"], na_position="first", kind="stable")
    for shard in range(_SHARDS):
        some = rows[rows["subject_id"] % _SHARDS == shard]
        _write(some.assign(text_value=None), folder / "data" / f"{shard}.parquet", _DATA)
    splits = (
        first[["subject", "split"]].rename(columns={"subject": "subject_id"}).replace({"split": {"test": "held_out"}})
    )
    _write(
        splits,
        folder / "metadata" / "subject_splits.parquet",
        pa.schema([pa.field("subject_id", pa.int64(), nullable=False), pa.field("split", pa.string(), nullable=False)]),
    )
    codes = pd.DataFrame({"code": sorted(rows["code"].unique())}).assign(description=None, parent_codes=None)
    _write(
        codes,
        folder / "metadata" / "codes.parquet",
        pa.schema(
            [
                pa.field("code", pa.string(), nullable=False),
                pa.field("description", pa.string()),
                pa.field("parent_codes", pa.list_(pa.string())),
            ]
        ),
    )
    about = {
        "dataset_name": "gdsfd simulation",
        "etl_name": "gdsfd.simulate",
        "etl_version": __version__,
        "meds_version": "0.4.1",
    }
    (folder / "metadata" / "dataset.json").write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
    labelled = recorded.stays[recorded.stays["label"].notna()]
    labels = labelled[["subject", "prediction_time", "label"]].set_axis(_LABELS.names, axis=1)
    _write(labels.sort_values(["subject_id", "prediction_time"]), folder / "labels" / "deterioration.parquet", _LABELS)
    known = [name for name in ("site", "sex", "ethnicity") if name in first]
    persons = first[["subject", *known]].rename(columns={"subject": "subject_id"})
    persons.to_parquet(folder / "subjects.parquet", index=False)
    (folder / "spec.toml").write_text(_spec_text(recorded, "site" in known), encoding="utf-8")


def _events(recorded: Recorded) -> pd.DataFrame:
    both = pd.concat([recorded.numbers, recorded.codes.assign(value=np.nan)], ignore_index=True)
    prefix = both["modality"].map(lambda name: _PREFIX.get(name, name.upper()))
    return pd.DataFrame(
        {
            "subject_id": both["subject"],
            "time": both["time"],
            "code": prefix + "//" + both["name"],
            "numeric_value": both["value"],
        }
    )


def _of_persons(first: pd.DataFrame) -> pd.DataFrame:
    """Birth, sex and ethnicity."""
    born = (first["admitted"] - pd.to_timedelta(first["age"] * _DAYS_PER_YEAR, unit="D")).dt.normalize()
    parts = [pd.DataFrame({"subject_id": first["subject"], "time": born, "code": "MEDS_BIRTH"})]
    for column, prefix in (("sex", "GENDER"), ("ethnicity", "ETHNICITY")):
        told = first[first[column] != ""]
        parts.append(
            pd.DataFrame({"subject_id": told["subject"], "time": pd.NaT, "code": prefix + "//" + told[column]})
        )
    return pd.concat([part.astype({"time": "datetime64[us]"}) for part in parts]).assign(numeric_value=np.nan)


def _write(frame: pd.DataFrame, path: Path, schema: pa.Schema) -> None:
    path.parent.mkdir(exist_ok=True)
    table = pa.Table.from_pandas(frame[schema.names], preserve_index=False).cast(schema.remove_metadata())
    pq.write_table(table, path)


def _spec_text(recorded: Recorded, has_site: bool) -> str:
    joined = [*(["site"] if has_site else []), "sex", "ethnicity"]
    lines = [
        "# A simulated cohort as a MEDS data set, written by gdsfd.simulate; gdsfd check shows what it stands for.",
        "# Outcome: deterioration after the first 24 hours, predicted at their end from what was recorded before.",
        "",
        "[cohort]",
        'format = "meds"',
        'source = "."',
        'labels = "labels/deterioration.parquet"',
        "window = [-1440, 0]",
        "bin = 240",
        *(['environment = "site"'] if has_site else []),
        'groups = ["sex", "ethnicity"]',
        "",
        "[[cohort.join]]",
        'source = "subjects.parquet"   # no part of MEDS',
        'on = "subject_id"',
        "columns = [" + ", ".join(f'"{name}"' for name in joined) + "]",
        "",
        "[cohort.vocabulary]",
    ]
    for name, kind, static in _sorts(recorded):
        several = kind == "codes" and (recorded.numbers["modality"] == name).any()
        prefix = _PREFIX.get(name, name.upper())
        lines.append(
            f'{name}{"_codes" if several else ""} = {{ prefix = "{prefix}//", kind = "{kind}", '
            f"static = {str(static).lower()} }}"
        )
    return "\n".join(lines) + "\n"


def _sorts(recorded: Recorded) -> list[tuple[str, str, bool]]:
    found: list[tuple[str, str, bool]] = []
    for kind, rows in (("events", recorded.numbers), ("codes", recorded.codes)):
        found += [
            (str(name), kind, bool(part["time"].isna().all())) for name, part in rows.groupby("modality", sort=False)
        ]
    return found
