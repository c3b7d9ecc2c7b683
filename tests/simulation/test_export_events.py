from __future__ import annotations

import gzip
import re
from pathlib import Path

import pandas as pd
import pytest

from gdsfd.simulation import load_truth, simulate
from gdsfd.simulation.export_events import write_csv


def lab_means(folder: Path, test: str) -> pd.Series:
    """Mean result by analyser."""
    labs = pd.read_csv(folder / "labs.csv.gz", dtype={"patient_id": str}).dropna()
    labs = labs[(labs["test"] == test) & (labs["result"] != -1)]
    return labs.groupby("analyser")["result"].mean()


def test_analysers_disagree_only_when_asked(tmp_path: Path) -> None:
    alike = lab_means(simulate(tmp_path / "plain", patients=2000, modalities=2), "sodium")
    apart = lab_means(simulate(tmp_path / "offset", patients=2000, modalities=2, sensor_offset=1.0), "sodium")
    assert list(alike.index) == ["A1", "A2", "B1", "C1"]
    assert alike.max() - alike.min() < 0.6  # of a standard deviation of 3
    assert apart.max() - apart.min() > 1.5


def test_analysers_say_nothing_of_outcome_or_practice(tmp_path: Path) -> None:
    folder = simulate(tmp_path / "out", patients=4000, modalities=2, sensor_offset=1.0)
    truth = load_truth(folder).patients
    cohort = pd.read_csv(folder / "patients.csv", dtype=str).set_index("patient_id")
    for column in ("y", "u"):
        shares = truth[column].groupby(cohort["analyser"]).mean()
        assert shares.max() - shares.min() < 0.08


def test_results_are_written_as_a_laboratory_does(everything: Path) -> None:
    text = gzip.decompress((everything / "labs.csv.gz").read_bytes()).decode()
    rows = [line.split(",") for line in text.splitlines()[1:]]
    times = {row[1] for row in rows}
    assert all(re.fullmatch(r"20\d\d-\d\d-\d\d \d\d:\d\d:00", time) for time in times)
    creatinine = {row[3] for row in rows if row[2] == "creatinine"} - {"", "-1"}
    assert all(re.fullmatch(r"\d+(\.\d{1,2})?", result) for result in creatinine)
    assert all(float(result) > 0 for result in creatinine)


def test_mean_reading_is_near_the_level(confounded: Path) -> None:
    truth = load_truth(confounded).patients
    vitals = pd.read_parquet(confounded / "vitals.parquet")
    early = vitals[vitals["minute"] < 1440].groupby("patient_id").mean()
    joined = early.join(truth, how="inner")
    # What the vital signs say about the outcome, computed from the file, is the evidence noted in the truth.
    assert joined["heart_rate"].corr(joined["causal_vitals"]) > 0.4
    assert abs(joined["spo2"].corr(joined["causal_vitals"])) < 0.05


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz"])
def test_csv_bytes_depend_on_rows_alone(tmp_path: Path, name: str) -> None:
    frame = pd.DataFrame({"id": ["001"], "value": ["1.5"]})
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        write_csv(frame, tmp_path / folder / name)
    first, second = ((tmp_path / folder / name).read_bytes() for folder in ("one", "two"))
    assert first == second
    assert (gzip.decompress(first) if name.endswith("gz") else first) == b"id,value\n001,1.5\n"
