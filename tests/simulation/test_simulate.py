from __future__ import annotations

import hashlib
import json
import sys
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gdsfd.cohort.spec import load_spec
from gdsfd.errors import InputError
from gdsfd.simulation import SPLITS, load_truth, simulate
from gdsfd.simulation.catalogue import CATALOGUE

#: First digits of the sha256 of text files of the default cohort of 300 patients, as first released.
FIRST = {
    "patients.csv": "448aa17e01c6",
    "demographics.csv": "75ef108c5f1a",
    "history.csv": "d08a0a45bb4c",
    "spec.toml": "b47ed86668e0",
}


def digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


def test_same_arguments_same_bytes_other_seed_other_bytes(tmp_path: Path) -> None:
    options = {"patients": 300, "modalities": 8, "rotate": True, "sensor_offset": 0.5}
    first = digests(simulate(tmp_path / "a", **options))
    assert digests(simulate(tmp_path / "b", **options)) == first
    other = digests(simulate(tmp_path / "c", **options, seed=1))
    assert all(other[name] != digest for name, digest in first.items() if name != "spec.toml")


def test_the_default_cohort_is_that_of_the_first_version(tmp_path: Path) -> None:
    found = digests(simulate(tmp_path / "out", patients=300))
    assert {name: found[name][:12] for name in FIRST} == FIRST
    config = json.loads((tmp_path / "out" / "truth.json").read_text())["config"]
    assert len(config) == 22  # no knob of a later design


def test_global_random_numbers_are_left_alone(tmp_path: Path) -> None:
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    simulate(tmp_path / "out", patients=200, modalities=2)
    assert (np.random.get_state()[1] == before).all()  # noqa: NPY002


@pytest.mark.parametrize("count", [2, 5, 8])
def test_as_many_modalities_as_asked(tmp_path: Path, count: int) -> None:
    folder = simulate(tmp_path / "out", patients=150, modalities=count)
    spec = tomllib.loads((folder / "spec.toml").read_text())
    assert len(spec["modality"]) == count
    assert len(list(folder.iterdir())) == count + 4


def test_splits_have_the_documented_sizes(confounded: Path) -> None:
    cohort = pd.read_csv(confounded / "patients.csv", dtype=str)
    assert cohort["split"].value_counts().to_dict() == dict(zip(SPLITS, (3000, 500, 1500, 1500, 1500, 1500)))


def test_files_have_the_faults_of_real_exports(everything: Path) -> None:
    ids = set(pd.read_csv(everything / "patients.csv", dtype=str)["patient_id"])
    labs = pd.read_csv(everything / "labs.csv.gz", dtype=str, keep_default_na=False)
    assert labs["result"].eq("-1").any()
    assert labs["result"].eq("").any()
    assert labs.duplicated().sum() >= 10
    for name in CATALOGUE:
        path = everything / CATALOGUE[name].file
        frame = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path, dtype=str)
        assert len(set(frame["patient_id"]) - ids) == 3, name
    assert pd.read_csv(everything / "history.csv", dtype=str)["code"].isna().sum() == 3
    for name in ("demographics", "ecg"):
        assert pd.read_csv(everything / CATALOGUE[name].file, dtype=str)["patient_id"].is_unique


def test_every_present_patient_has_something_within_the_window(everything: Path) -> None:
    truth = load_truth(everything).patients
    admitted = pd.read_csv(everything / "patients.csv", dtype={"patient_id": str}, parse_dates=["admitted"])
    labs = pd.read_csv(everything / "labs.csv.gz", dtype={"patient_id": str}).merge(admitted, on="patient_id")
    minute = (pd.to_datetime(labs["charted_at"]) - labs["admitted"]).dt.total_seconds() / 60
    good = labs[minute.between(0, 1440, inclusive="left") & labs["result"].notna() & (labs["result"] != -1)]
    assert set(good["patient_id"]) == set(truth.index[truth["present_labs"]])
    vitals = pd.read_parquet(everything / "vitals.parquet")
    vitals = vitals[(vitals["minute"] < 1440) & vitals["heart_rate"].notna()]
    assert set(vitals["patient_id"]) & set(truth.index) == set(truth.index[truth["present_vitals"]])
    for name in ("imaging", "notes", "history", "demographics", "medications", "ecg"):
        path = everything / CATALOGUE[name].file
        frame = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path, dtype=str)
        assert set(frame["patient_id"]) & set(truth.index) == set(truth.index[truth[f"present_{name}"]]), name


def test_readings_after_the_window_give_the_outcome_away(confounded: Path) -> None:
    truth = load_truth(confounded).patients
    vitals = pd.read_parquet(confounded / "vitals.parquet").join(truth["y"], on="patient_id", how="inner")
    late = vitals[vitals["minute"] >= 1440]
    shift = late.groupby("y")["heart_rate"].mean().diff().iloc[-1]
    early = vitals[vitals["minute"] < 1440].groupby("y")["heart_rate"].mean().diff().iloc[-1]
    assert shift > early + 30.0


def test_an_earlier_simulation_is_replaced_and_nothing_else(tmp_path: Path) -> None:
    folder = simulate(tmp_path / "out", patients=200, modalities=3)
    simulate(folder, patients=200, modalities=2)
    assert not (folder / "vitals.parquet").exists()
    other = tmp_path / "mine"
    other.mkdir()
    (other / "thesis.txt").write_text("precious")
    with pytest.raises(InputError, match="not empty"):
        simulate(other, patients=200)
    assert [path.name for path in other.iterdir()] == ["thesis.txt"]


def test_a_failure_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(sys.modules[simulate.__module__], "write_truth", broken)
    with pytest.raises(OSError, match="disk full"):
        simulate(tmp_path / "out", patients=200, modalities=2)
    assert list(tmp_path.iterdir()) == []


def test_graph_reads_it_and_presence_is_the_truth(everything: Path) -> None:
    build = pytest.importorskip("gdsfd.cohort.build")
    cohort = build.build_cohort(load_spec(everything / "spec.toml"))
    truth = load_truth(everything).patients
    assert cohort.id == list(truth.index)
    assert cohort.split == list(truth["split"])
    assert np.isnan(cohort.y[:, 0]).sum() == (truth["label"] == -1).sum()
    for name, observations in cohort.observations.items():
        assert (observations.patient == np.flatnonzero(truth[f"present_{name}"])).all(), name
    for receipt in cohort.receipt.modalities:
        assert any("not in the cohort" in drop.reason for drop in receipt.drops), receipt.name
        assert receipt.rows_read == receipt.rows_kept + sum(drop.rows for drop in receipt.drops)


def test_truth_names_every_column(everything: Path) -> None:
    stored = json.loads((everything / "truth.json").read_text())
    masks = stored["masks"]
    assert set(masks["labs"]) == set(pd.read_csv(everything / "labs.csv.gz", dtype=str)["test"])
    history = set(pd.read_csv(everything / "history.csv", dtype=str)["code"].dropna())
    assert history <= set(masks["history"])
    for name in ("demographics", "ecg"):
        assert set(masks[name]) == set(pd.read_csv(everything / CATALOGUE[name].file).columns) - {"patient_id"}


@pytest.mark.parametrize("format", ["meds", "omop"])
def test_a_standard_has_the_same_truth_and_leaves_nothing_else(tmp_path: Path, format: str) -> None:
    options = {"patients": 100, "modalities": ("labs", "imaging", "history")}
    exports = simulate(tmp_path / "csv", **options)
    standard = simulate(tmp_path / format, **options, format=format)
    for name in ("truth.json", "truth.parquet"):
        assert (standard / name).read_bytes() == (exports / name).read_bytes()
    assert not [path.name for path in standard.iterdir() if path.name.startswith(("gdsfd-", "."))]


def test_formats_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"expected format among .*'medss'. Did you mean 'meds'"):
        simulate(tmp_path / "out", format="medss")
    with pytest.raises(InputError, match="format 'omop' has no place for 'imaging', 'demographics'"):
        simulate(tmp_path / "out", modalities=("imaging", "demographics"), format="omop")
    assert not (tmp_path / "out").exists()
