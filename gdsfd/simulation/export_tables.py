"""Writes the cohort table and the modalities that have no series of values: tables, code lists, vectors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gdsfd.simulation.catalogue import ANCHOR_CODE, CATALOGUE
from gdsfd.simulation.coding_habits import BLANK, OTHER_CODE
from gdsfd.simulation.config import SimulationConfig
from gdsfd.simulation.export_events import ANALYSER_NAMES, WINDOW_MINUTES, write_csv
from gdsfd.simulation.population import Population, seed_digits
from gdsfd.simulation.streams import stream

__all__ = ["admissions", "rotation", "site_names", "write_codes", "write_embedding", "write_patients", "write_table"]


def site_names(config: SimulationConfig) -> NDArray[np.str_]:
    """The hospitals' names; hospital ``i`` follows practice ``i`` modulo the number of practices."""
    return np.array([f"H{index + 1:02d}" for index in range(config.sites)])


def admissions(config: SimulationConfig, population: Population) -> NDArray[np.datetime64]:
    """Time of admission per patient, to the minute; datetime64[m] [N]."""
    minutes = stream(config.seed, "admissions").integers(0, 5 * 365 * 1440, len(population))
    return np.datetime64("2016-01-01T00:00", "m") + minutes.astype("timedelta64[m]")


def write_patients(
    folder: Path, config: SimulationConfig, population: Population, admitted: NDArray[np.datetime64]
) -> None:
    """Writes ``patients.csv``, the cohort table."""
    rng = stream(config.seed, "patients.export")
    digits = seed_digits(config.seed)
    subjects = int(population.subject.max()) + 1
    sex = np.array(["F", "M"])[rng.integers(0, 2, subjects)][population.subject]
    ethnicity = np.array(["A", "B", "C", ""])[rng.choice(4, subjects, p=[0.6, 0.25, 0.1, 0.05])][population.subject]
    age = CATALOGUE["demographics"].features[0]
    frame = pd.DataFrame(
        {
            "patient_id": population.id,
            "subject_id": [f"S{digits}{number:07d}" for number in rng.permutation(subjects)[population.subject]],
            "site": site_names(config)[population.site],
            "admitted": np.char.replace(np.datetime_as_string(admitted.astype("datetime64[s]")), "T", " "),
            "age": np.round(age.centre + age.spread * population.age).astype(int),
            "sex": sex,
            "ethnicity": ethnicity,
            "analyser": ANALYSER_NAMES[population.analyser],
            "deteriorated": np.array(["no", "yes", ""])[population.label],
            "split": population.split,
        }
    )
    write_csv(frame if config.environment else frame.drop(columns="site"), folder / "patients.csv")


def write_table(
    folder: Path, config: SimulationConfig, population: Population, name: str, strangers: list[str]
) -> None:
    """Writes a table modality as CSV: one row per patient who has it, blank where not measured."""
    modality = CATALOGUE[name]
    rng = stream(config.seed, f"{name}.export")
    keep = np.flatnonzero(population.present[name])
    columns: dict[str, NDArray] = {"patient_id": population.id[keep]}
    for position, feature in enumerate(modality.features):
        value = feature.centre + feature.spread * population.values[name][keep, position]
        text = np.char.mod(f"%.{feature.decimals}f", value).astype(object)
        text[~population.measured[name][keep, position]] = ""
        columns[feature.name] = text
    for place, (column, levels) in enumerate(modality.levels):
        chosen = np.array([*levels, ""], dtype=object)
        share = np.array([(1.0 - BLANK) / len(levels)] * len(levels) + [BLANK])
        columns[column] = rng.choice(chosen, len(keep), p=share)
        if name in population.words:
            columns[column] = chosen[population.words[name][keep, place]]  # -1, a blank, is the last one
    frame = pd.DataFrame(columns)
    unknown = frame.head(len(strangers)).assign(patient_id=strangers)
    write_csv(pd.concat([frame, unknown]), folder / modality.file)


def write_codes(
    folder: Path, config: SimulationConfig, population: Population, name: str, strangers: list[str]
) -> None:
    """Writes a code list as CSV: patient_id, code for the history; patient_id, minute, drug for medications.

    Medications given after the first 24 hours follow the outcome; the history was there before and has no time.
    """
    modality = CATALOGUE[name]
    rng = stream(config.seed, f"{name}.export")
    codes = np.array([feature.name for feature in modality.features], dtype=object)
    row, code = np.nonzero((population.values[name] > 0.5) & population.present[name][:, None])
    present = np.flatnonzero(population.present[name])
    names = codes[code]
    if name in population.other:
        others = np.array([OTHER_CODE[name][each] for each in codes], dtype=object)
        names = np.where(population.other[name][row, code], others[code], names)
    if name == "history":
        frame = pd.DataFrame(
            {
                "patient_id": population.id[np.concatenate([row, present])],
                "code": np.concatenate([names, np.full(len(present), ANCHOR_CODE, dtype=object)]),
            }
        )
        repeated = frame.iloc[:: max(1, len(frame) // 20)].head(20)
        blank = frame.head(len(strangers)).assign(code="")  # a record whose code was not filled in
        extra = [repeated, blank]
    else:
        late = present[population.y[present] == 1]
        minute = np.concatenate(
            [
                rng.integers(0, WINDOW_MINUTES, len(row) + len(present)),
                WINDOW_MINUTES + rng.integers(0, 2880, len(late)),
            ]
        )
        frame = pd.DataFrame(
            {
                "patient_id": population.id[np.concatenate([row, present, late])],
                "minute": minute,
                "drug": np.concatenate(
                    [names, np.full(len(present), "sodium chloride"), np.full(len(late), "morphine infusion")]
                ),
            }
        )
        extra = []
    unknown = frame.head(len(strangers)).assign(patient_id=strangers)
    write_csv(pd.concat([frame, unknown, *extra]), folder / modality.file)


def write_embedding(
    folder: Path, config: SimulationConfig, population: Population, name: str, strangers: list[str]
) -> None:
    """Writes one vector per patient as Parquet: imaging as columns ``e_00 ..``, notes as one list-valued column."""
    modality = CATALOGUE[name]
    keep = np.flatnonzero(population.present[name])
    vector = population.values[name][keep]
    if config.rotate:
        vector = vector @ rotation(config, name).T
    vector = vector.astype(np.float32)
    if name == "notes":
        frame = pd.DataFrame({"patient_id": population.id[keep], "vector": list(vector)})
    else:
        frame = pd.DataFrame(vector, columns=[feature.name for feature in modality.features])
        frame.insert(0, "patient_id", population.id[keep])
    unknown = frame.head(len(strangers)).assign(patient_id=strangers)
    pd.concat([frame, unknown]).to_parquet(folder / modality.file, index=False)


def rotation(config: SimulationConfig, name: str) -> NDArray[np.float64]:
    """The rotation R of an embedding: the file holds ``R z`` for content ``z``; [F, F]."""
    width = len(CATALOGUE[name].features)
    basis, upper = np.linalg.qr(stream(config.seed, f"{name}.rotation").standard_normal((width, width)))
    return basis * np.sign(np.diag(upper))
