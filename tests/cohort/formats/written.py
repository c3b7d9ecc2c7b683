"""One simulated cohort as exports, as MEDS and as OMOP, with numbers that 32 bits hold exactly."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from gdsfd.simulation import simulate
from gdsfd.simulation.as_meds import write_meds
from gdsfd.simulation.as_omop import write_omop
from gdsfd.simulation.recorded import read_recorded

NAMES = ("labs", "vitals", "history", "medications")


def write_three(place: Path, patients: int = 150, repeats: float = 0.0) -> dict[str, Path]:
    """The folders ``csv``, ``meds`` and ``omop``, each with its spec.toml.

    Args:
        place: Where to.
        patients: Of the simulation.
        repeats: Share of persons with several patients.
    """
    folders = {name: place / name for name in ("csv", "meds", "omop")}
    simulate(folders["csv"], patients=patients, modalities=NAMES, repeats=repeats, unlabelled=0.0)
    table = pd.read_csv(folders["csv"] / "patients.csv", dtype=str, keep_default_na=False)
    table.sort_values(["subject_id", "admitted"]).to_csv(folders["csv"] / "patients.csv", index=False)
    labs = pd.read_csv(folders["csv"] / "labs.csv.gz", dtype=str, keep_default_na=False)
    labs["result"] = [_exact(float(cell)) if cell else "" for cell in labs["result"]]
    labs.to_csv(folders["csv"] / "labs.csv.gz", index=False)
    vitals = pd.read_parquet(folders["csv"] / "vitals.parquet")
    vitals.iloc[:, 2:] = (vitals.iloc[:, 2:] * 64).round() / 64
    vitals.to_parquet(folders["csv"] / "vitals.parquet", index=False)
    recorded = read_recorded(folders["csv"], NAMES)
    for name, write in (("meds", write_meds), ("omop", write_omop)):
        folders[name].mkdir()
        write(folders[name], recorded)
    return folders


def _exact(value: float) -> str:
    return repr(-1) if value == -1 else repr(round(value * 64) / 64)
