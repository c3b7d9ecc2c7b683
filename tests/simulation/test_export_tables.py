"""Tables, code lists and vectors on file are the population's, with the faults that real exports have."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gdsfd.simulation import SimulationConfig, load_truth, simulate
from gdsfd.simulation.catalogue import ANCHOR_CODE, CATALOGUE
from gdsfd.simulation.export_tables import admissions, rotation, site_names, write_codes, write_embedding, write_table
from gdsfd.simulation.population import Population, draw_population

CONFIG = SimulationConfig(patients=150, modalities=8, seed=2)
STRANGERS = ["9998", "9999"]


@pytest.fixture(scope="module")
def population() -> Population:
    return draw_population(CONFIG)


@pytest.mark.parametrize("name", ["demographics", "ecg"])
def test_a_table_holds_rounded_values_and_blanks_where_nothing_was_measured(
    population: Population, tmp_path: Path, name: str
) -> None:
    write_table(tmp_path, CONFIG, population, name, STRANGERS)
    modality = CATALOGUE[name]
    frame = pd.read_csv(tmp_path / modality.file, dtype=str, keep_default_na=False)
    assert list(frame["patient_id"][-2:]) == STRANGERS
    frame = frame[:-2].set_index("patient_id")
    assert list(frame.index) == list(population.id[population.present[name]])
    for position, feature in enumerate(modality.features):
        for row, own in enumerate(population.id):
            if not population.present[name][row]:
                continue
            cell = frame.loc[own, feature.name]
            if not population.measured[name][row, position]:
                assert cell == ""
                continue
            value = feature.centre + feature.spread * population.values[name][row, position]
            assert float(cell) == pytest.approx(value, abs=0.5 * 10.0**-feature.decimals + 1e-9)
    for column, levels in modality.levels:
        assert set(frame[column]) <= {*levels, ""}


def test_codes_are_those_that_a_patient_has_and_records_are_never_empty(population: Population, tmp_path: Path) -> None:
    for name in ("history", "medications"):
        write_codes(tmp_path, CONFIG, population, name, STRANGERS)
    history = pd.read_csv(tmp_path / "history.csv", dtype=str)
    drugs = pd.read_csv(tmp_path / "medications.csv", dtype={"patient_id": str})
    late = drugs["drug"] == "morphine infusion"
    assert ((drugs["minute"] >= 1440) == late).all()  # what was given later follows the outcome, and is a leak
    row_of = {own: row for row, own in enumerate(population.id)}
    given = set(drugs["patient_id"][late]) - set(STRANGERS)
    assert given == {own for own, row in row_of.items() if population.present["medications"][row] and population.y[row]}
    pairs = {
        "history": set(zip(history["patient_id"], history["code"])),
        "medications": set(zip(drugs["patient_id"][~late], drugs["drug"][~late])),
    }
    for name, always in (("history", ANCHOR_CODE), ("medications", "sodium chloride")):
        expected = {(own, always) for own, row in row_of.items() if population.present[name][row]}
        for position, feature in enumerate(CATALOGUE[name].features):
            has = (population.values[name][:, position] > 0.5) & population.present[name]
            expected |= {(own, feature.name) for own in population.id[has]}
        known = {(own, code) for own, code in pairs[name] if own in row_of and isinstance(code, str)}
        assert known == expected, name
        assert {own for own, _ in pairs[name]} - set(row_of) == set(STRANGERS)
    assert history["code"].isna().sum() == len(STRANGERS)  # records whose code was not filled in
    assert history.duplicated().any()


@pytest.mark.parametrize("rotate", [False, True])
def test_vectors_hold_the_content_or_its_rotation(population: Population, tmp_path: Path, rotate: bool) -> None:
    config = SimulationConfig(**{**CONFIG.to_dict(), "rotate": rotate})
    for name in ("imaging", "notes"):
        write_embedding(tmp_path, config, population, name, STRANGERS)
        frame = pd.read_parquet(tmp_path / CATALOGUE[name].file)
        assert list(frame["patient_id"][-2:]) == STRANGERS
        frame = frame[:-2]
        vectors = np.stack(frame["vector"]) if name == "notes" else frame.drop(columns="patient_id").to_numpy()
        assert vectors.dtype == np.float32
        turn = rotation(config, name) if rotate else np.eye(vectors.shape[1])
        expected = [turn @ content for content in population.values[name][population.present[name]]]
        np.testing.assert_allclose(vectors, expected, atol=1e-5)


def test_admissions_and_sites_depend_on_the_seed_alone(population: Population) -> None:
    times = admissions(CONFIG, population)
    assert times.dtype == np.dtype("datetime64[m]")
    assert (times == admissions(CONFIG, population)).all()
    assert (times >= np.datetime64("2016-01-01")).all()
    assert (times < np.datetime64("2021-01-01")).all()
    assert site_names(CONFIG).tolist() == ["H01", "H02", "H03", "H04", "H05", "H06", "H07", "H08"]


def test_ids_are_text_of_one_width_with_leading_zeros_and_unique(confounded: Path) -> None:
    ids = pd.read_csv(confounded / "patients.csv", dtype=str)["patient_id"]
    assert ids.is_unique
    assert ids.str.len().nunique() == 1
    assert ids.str.startswith("0").all()


def test_subjects_repeat_and_stay_in_one_split_with_one_age_and_sex(confounded: Path) -> None:
    cohort = pd.read_csv(confounded / "patients.csv", dtype=str, keep_default_na=False)
    by_subject = cohort.groupby("subject_id")
    assert (by_subject[["split", "age", "sex", "ethnicity"]].nunique() == 1).all(axis=None)
    repeated = (by_subject.size() > 1).mean()
    assert 0.05 < repeated < 0.15
    alone = simulate(confounded.parent / "alone", patients=300, repeats=0.0)
    assert pd.read_csv(alone / "patients.csv", dtype=str)["subject_id"].is_unique


def test_a_rotated_embedding_turns_back(tmp_path: Path) -> None:
    folder = simulate(tmp_path / "out", patients=200, modalities=2, rotate=True)
    truth = load_truth(folder)
    assert set(truth.masks["imaging"].values()) == {"mixed"}
    mixing = np.array(truth.extra["rotation"]["imaging"])
    assert np.allclose(mixing @ mixing.T, np.eye(len(mixing)))
    assert np.allclose(mixing, rotation(truth.config, "imaging"))
    stored = pd.read_parquet(folder / "imaging.parquet").set_index("patient_id")
    population = draw_population(truth.config)
    known = stored.loc[population.id[population.present["imaging"]]].to_numpy() @ mixing
    assert np.allclose(known, population.values["imaging"][population.present["imaging"]], atol=1e-4)
