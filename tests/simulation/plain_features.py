"""Flat features of a simulated cohort read with pandas alone: what an analyst would make of the files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd


def flat_features(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """One row per patient of the default modalities: the cohort table, and features with NaN where not measured.

    Args:
        folder: A folder written by ``simulate``.
    """
    cohort = pd.read_csv(folder / "patients.csv", dtype=str, keep_default_na=False)
    cohort["admitted"] = pd.to_datetime(cohort["admitted"])
    ids = pd.Index(cohort["patient_id"])
    labs = pd.read_csv(folder / "labs.csv.gz", dtype={"patient_id": str}).merge(cohort[["patient_id", "admitted"]])
    minute = (pd.to_datetime(labs["charted_at"]) - labs["admitted"]).dt.total_seconds() / 60
    labs = labs[minute.between(0, 1440, inclusive="left") & labs["result"].notna() & (labs["result"] != -1)]
    vitals = pd.read_parquet(folder / "vitals.parquet")
    vitals = vitals[vitals["minute"].between(0, 1440, inclusive="left")].drop(columns="minute")
    history = pd.read_csv(folder / "history.csv", dtype=str).dropna()
    demographics = pd.read_csv(folder / "demographics.csv", dtype={"patient_id": str}).set_index("patient_id")
    parts = [
        labs.pivot_table(index="patient_id", columns="test", values="result"),
        vitals.groupby("patient_id").mean(),
        pd.crosstab(history["patient_id"], history["code"]).clip(upper=1),
        demographics.select_dtypes(np.number),
        pd.read_parquet(folder / "imaging.parquet").set_index("patient_id"),
    ]
    return cohort.set_index("patient_id"), pd.concat([part.reindex(ids) for part in parts], axis=1)
