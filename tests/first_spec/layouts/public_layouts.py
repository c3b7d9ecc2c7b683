"""Small invented exports in the layouts of OMOP and MEDS."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

PATIENTS = 200


def omop(folder: Path) -> Path:
    """OMOP tables: persons, visits, conditions, drugs, measurements, deaths."""
    rng = np.random.default_rng(5)
    n = PATIENTS
    person = np.arange(1001, 1001 + n)
    start = pd.Timestamp("2018-01-01") + pd.to_timedelta(rng.integers(0, 500 * 1440, n), unit="min")
    dies = rng.random(n) < 0.3
    tables = {
        "person": {
            "person_id": person,
            "gender_concept_id": rng.choice([8507, 8532], n),
            "year_of_birth": rng.integers(1930, 2000, n),
            "race_concept_id": rng.choice([8527, 8516], n),
            "care_site_id": rng.choice([1, 2, 3], n),
        },
        "visit_occurrence": {
            "visit_occurrence_id": np.arange(n) + 50_000,
            "person_id": person,
            "visit_concept_id": rng.choice([9201, 9203], n),
            "visit_start_datetime": start,
            "visit_end_datetime": start + pd.to_timedelta(rng.integers(2, 12, n), unit="D"),
            "discharge_to_concept_id": rng.choice([0, 8536], n),
        },
        "death": {
            "person_id": person[dies],
            "death_date": (start[dies] + pd.to_timedelta(9, unit="D")).strftime("%Y-%m-%d"),
        },
    }
    of = rng.integers(0, n, 3000)
    key = {"person_id": person[of], "visit_occurrence_id": of + 50_000}
    after = pd.to_timedelta(rng.integers(0, 4 * 1440, 3000), unit="min")
    tables["measurement"] = {
        "measurement_id": np.arange(3000),
        **key,
        "measurement_concept_id": rng.choice([3024171, 3027018, 3020891], 3000),
        "measurement_datetime": start[of] + after,
        "value_as_number": (rng.normal(50, 8, 3000) + 6 * dies[of]).round(1),
    }
    tables["condition_occurrence"] = {
        "condition_occurrence_id": np.arange(3000),
        **key,
        "condition_concept_id": rng.choice([312327, 201826, 255848, 132797], 3000),
        "condition_start_datetime": start[of] + after,
    }
    tables["drug_exposure"] = {
        "drug_exposure_id": np.arange(3000),
        **key,
        "drug_concept_id": rng.choice([1112807, 1503297, 1125315], 3000),
        "drug_exposure_start_datetime": start[of] + after,
        "quantity": rng.integers(1, 9, 3000),
    }
    for name, columns in tables.items():
        pd.DataFrame(columns).to_csv(folder / f"{name}.csv", index=False)
    return folder


def meds(folder: Path) -> Path:
    """MEDS: sharded events, labels beside them, and the splits of subjects."""
    rng = np.random.default_rng(6)
    n = PATIENTS
    subject = np.arange(n) + 700
    at = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 100 * 1440, n), unit="min")
    label = rng.random(n) < 0.4
    of = np.sort(rng.integers(0, n, 6000))
    code = rng.choice(["LAB//lactate", "LAB//sodium", "DIAG//I10", "DIAG//E11"], 6000)
    is_lab = pd.Series(code).str.startswith("LAB").to_numpy()
    events = pd.DataFrame(
        {
            "subject_id": subject[of],
            "time": at[of] + pd.to_timedelta(rng.integers(-2000, 500, 6000), unit="min"),
            "code": code,
            "numeric_value": np.where(is_lab, rng.normal(5, 1, 6000) + label[of], np.nan).astype("float32"),
        }
    )
    for number, name in enumerate(("train", "tuning", "held_out")):
        (folder / "data" / name).mkdir(parents=True)
        events[of % 3 == number].to_parquet(folder / "data" / name / "0.parquet", index=False)
    (folder / "labels").mkdir()
    pd.DataFrame({"subject_id": subject, "prediction_time": at, "boolean_value": label}).to_parquet(
        folder / "labels" / "mortality.parquet", index=False
    )
    return folder
