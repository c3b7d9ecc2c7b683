from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from gdsfd.simulation import simulate
from gdsfd.simulation.catalogue import CATALOGUE
from gdsfd.simulation.recorded import Recorded, read_recorded


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return simulate(tmp_path_factory.mktemp("recorded") / "csv", patients=100, modalities=8)


@pytest.fixture(scope="module")
def recorded(folder: Path) -> Recorded:
    return read_recorded(folder, tuple(CATALOGUE))


def test_vectors_are_left_out(recorded: Recorded) -> None:
    assert recorded.left_out == ("imaging", "notes")


def test_what_was_not_measured_was_not_recorded(folder: Path, recorded: Recorded) -> None:
    labs = pd.read_csv(folder / "labs.csv.gz", dtype=str, keep_default_na=False)
    written = (~labs["result"].isin(["", "-1"])).sum()
    assert (recorded.numbers["modality"] == "labs").sum() == written
    assert recorded.numbers["value"].notna().all()
    history = pd.read_csv(folder / "history.csv", dtype=str, keep_default_na=False)
    assert (recorded.codes["modality"] == "history").sum() == (history["code"] != "").sum() < len(history)


def test_minutes_count_from_the_admission(folder: Path, recorded: Recorded) -> None:
    stay = recorded.stays.iloc[0]
    vitals = pd.read_parquet(folder / "vitals.parquet")
    minutes = vitals.loc[vitals["patient_id"] == stay["patient_id"], "minute"]
    own = recorded.numbers.query("modality == 'vitals' and subject == @stay.subject")
    assert own["time"].min() >= stay["admitted"] + pd.Timedelta(minutes=int(minutes.min()))
    assert stay["prediction_time"] - stay["admitted"] == pd.Timedelta(days=1)


def test_tables_are_numbers_and_levels_without_a_time(recorded: Recorded) -> None:
    assert set(recorded.numbers.query("modality == 'ecg'")["name"]) == {f.name for f in CATALOGUE["ecg"].features}
    levels = recorded.codes.query("modality == 'ecg'")
    assert set(levels["name"]) == {"rhythm//sinus", "rhythm//atrial fibrillation", "rhythm//paced"}
    assert levels["time"].isna().all()


def test_a_blank_label_is_none(folder: Path, recorded: Recorded) -> None:
    table = pd.read_csv(folder / "patients.csv", dtype=str, keep_default_na=False)
    assert recorded.stays["label"].isna().tolist() == (table["deteriorated"] == "").tolist()
