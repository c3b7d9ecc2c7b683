"""A simulated cohort's exports as one long list of what was recorded, from which a mapping to a standard starts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from gdsfd.simulation.catalogue import CATALOGUE
from gdsfd.simulation.export_events import WINDOW_MINUTES

__all__ = ["Recorded", "read_recorded"]


@dataclass(frozen=True)
class Recorded:
    """What was recorded of whom.

    Args:
        stays: One row per patient of the cohort table: ``subject`` (whole number), ``admitted``, ``prediction_time``,
            ``label`` (bool, missing where blank), and ``split``, ``site`` (where it is on file), ``sex``, ``ethnicity``
            and ``age`` as exported.
        numbers: ``subject``, ``time`` (missing = without a time), ``modality``, ``name`` and ``value``.
        codes: ``subject``, ``time``, ``modality`` and ``name``.
        left_out: Modalities that no list of events can hold: vectors.
    """

    stays: pd.DataFrame
    numbers: pd.DataFrame
    codes: pd.DataFrame
    left_out: tuple[str, ...]


def read_recorded(folder: Path, names: Sequence[str]) -> Recorded:
    """Reads exports that :func:`gdsfd.simulate` wrote.

    What was not measured (a blank, -1) was never recorded. Rows of ids that are in no cohort stay, as persons without a
    label; those whose time counts from an admission that nobody knows do not.

    Args:
        folder: The exports.
        names: The modalities.
    """
    table = pd.read_csv(folder / "patients.csv", dtype=str, keep_default_na=False)
    admitted = pd.to_datetime(table["admitted"])
    stays = table.assign(
        subject=table["subject_id"].str[1:].astype("int64"),
        admitted=admitted,
        prediction_time=admitted + pd.Timedelta(minutes=WINDOW_MINUTES),
        label=table["deteriorated"].map({"yes": True, "no": False}).astype("boolean"),
        age=table["age"].astype(int),
    )
    own = pd.Series(stays["subject"].to_numpy(), index=stays["patient_id"])
    start = pd.Series(stays["admitted"].to_numpy(), index=stays["patient_id"])
    numbers, codes, left_out = [], [], []
    for name in names:
        rows = _rows(folder, name)
        if rows is None:
            left_out.append(name)
            continue
        times = rows["time"] if "time" in rows else pd.Series(pd.NaT, index=rows.index)
        if "minute" in rows:
            times = rows["patient_id"].map(start) + pd.to_timedelta(rows["minute"].astype(float), unit="min")
            rows, times = rows[times.notna()], times[times.notna()]
        subject = rows["patient_id"].map(own).fillna(rows["patient_id"].astype("int64")).astype("int64")
        told = rows.assign(subject=subject, time=times.astype("datetime64[us]"), modality=name)
        measured = told["value"].notna()
        numbers.append(told.loc[measured, ["subject", "time", "modality", "name", "value"]])
        codes.append(told.loc[~measured, ["subject", "time", "modality", "name"]])
    return Recorded(stays, pd.concat(numbers, ignore_index=True), pd.concat(codes, ignore_index=True), tuple(left_out))


def _rows(folder: Path, name: str) -> pd.DataFrame | None:
    """A modality's file as ``patient_id``, ``name``, ``value`` (missing for a code) and ``time`` or ``minute``."""
    modality = CATALOGUE[name]
    path = folder / modality.file
    if name == "labs":
        read = pd.read_csv(path, dtype=str, keep_default_na=False)
        read = read[~read["result"].isin(["", "-1"])]
        value, time = read["result"].astype(float), pd.to_datetime(read["charted_at"])
        return pd.DataFrame({"patient_id": read["patient_id"], "name": read["test"], "value": value, "time": time})
    if name == "vitals":
        wide = pd.read_parquet(path)
        return wide.melt(["patient_id", "minute"], var_name="name").dropna(subset="value").reset_index(drop=True)
    if modality.kind == "codes":
        read = pd.read_csv(path, dtype=str, keep_default_na=False).rename(columns={"drug": "name", "code": "name"})
        return read[read["name"] != ""].assign(value=float("nan"))
    if modality.kind == "table":
        long = pd.read_csv(path, dtype=str, keep_default_na=False).melt("patient_id", var_name="name")
        long = long[long["value"] != ""].reset_index(drop=True)
        level = long["name"].isin([column for column, _ in modality.levels])
        text = long["name"].where(~level, long["name"] + "//" + long["value"])
        return long.assign(name=text, value=long["value"].where(~level).astype(float))
    return None
