"""Three invented exports, of layouts that no module of ``gdsfd.first_spec`` knows, and what is true of each."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

PATIENTS = 240


@dataclass
class Export:
    """An export on disk, and what a person who knows it would write.

    Args:
        source: The folder or database.
        outcome: Column of the outcome.
        id: The cohort's id.
        subject: The person; None where there is none but the id.
        environment: The site.
        groups: Fairness attributes.
        kinds: Table -> kind.
        times: Table -> column that the time is in.
        leaks: Columns that may not be inputs.
    """

    source: Path
    outcome: str
    id: str
    subject: str | None
    environment: str
    groups: list[str]
    kinds: dict[str, str]
    times: dict[str, str]
    leaks: list[str] = field(default_factory=list)


def registry(folder: Path) -> Export:
    """A German registry: semicolons, commas in numbers, days before months, umlauts."""
    rng = np.random.default_rng(1)
    n = PATIENTS
    case = np.array([f"F{number:05d}" for number in range(n)])
    sick = rng.random(n) < 0.3
    admitted = pd.Timestamp("2019-03-01") + pd.to_timedelta(rng.integers(0, 400 * 1440, n), unit="min")
    stay = rng.integers(2 * 1440, 20 * 1440, n)
    left = admitted + pd.to_timedelta(stay, unit="min")
    clinic = rng.choice(["Köln", "Aachen", "Liège", "Bonn"], n)
    frames = {
        "aufenthalte": {
            "FallNr": case,
            "PatNr": [f"P{number:04d}" for number in rng.integers(0, n * 3 // 4, n)],
            "Klinik": clinic,
            "Geschlecht": rng.choice(["m", "w", "d"], n, p=[0.48, 0.48, 0.04]),
            "Alter": rng.integers(18, 95, n),
            "Größe": german(rng.normal(1.72, 0.1, n).round(2)),
            "AufnahmeZeit": admitted.strftime("%d.%m.%Y %H:%M"),
            "EntlassZeit": left.strftime("%d.%m.%Y %H:%M"),
            "Entlassart": np.where(sick, "verlegt", rng.choice(["regulär", "Pflegeheim"], n)),
            "Liegedauer_Tage": stay // 1440,
            "Verstorben": np.where(sick, "ja", "nein"),
        }
    }
    of = rng.integers(0, n, 6000)
    at = admitted[of] + pd.to_timedelta(rng.integers(0, 5 * 1440, 6000), unit="min")
    analyte = rng.choice(["Laktat", "Natrium", "Kreatinin", "CRP"], 6000)
    center = pd.Series({"Laktat": 2.0, "Natrium": 140.0, "Kreatinin": 1.1, "CRP": 40.0})[analyte].to_numpy()
    frames["labor"] = {
        "FallNr": case[of],
        "Abnahmezeit": at.strftime("%d.%m.%Y %H:%M"),
        "Analyt": analyte,
        "Messwert": german((center * rng.normal(1 + 0.2 * sick[of], 0.1)).round(2)),
        "Einheit": pd.Series({"Laktat": "mmol/l", "Natrium": "mmol/l", "Kreatinin": "mg/dl", "CRP": "mg/l"})[
            analyte
        ].to_numpy(),
    }
    of = rng.integers(0, n, 1500)
    at = admitted[of] + pd.to_timedelta(rng.integers(0, 2 * 1440, 1500), unit="min")
    frames["diagnosen"] = {
        "FallNr": case[of],
        "ICD": rng.choice(["I10.0", "E11.9", "J18.9", "A41.9", "N17.9", "I50.1"], 1500),
        "Diagnoseart": rng.choice(["Haupt", "Neben"], 1500),
        "ErfasstAm": at.strftime("%d.%m.%Y %H:%M"),
    }
    of = rng.integers(0, n, 1800)
    at = admitted[of] + pd.to_timedelta(rng.integers(0, 3 * 1440, 1800), unit="min")
    frames["medikation"] = {
        "FallNr": case[of],
        "Wirkstoff": rng.choice(["Heparin", "Furosemid", "Noradrenalin", "Metoprolol", "Insulin"], 1800),
        "Dosis": rng.integers(1, 40, 1800),
        "Startzeit": at.strftime("%d.%m.%Y %H:%M"),
    }
    frames["kliniken"] = {
        "Klinik": ["Köln", "Aachen", "Liège", "Bonn"],
        "Land": ["DE", "DE", "BE", "DE"],
        "Betten": [900, 1500, 800, 1200],
    }
    with_note = rng.choice(n, 150, replace=False)
    vectors = rng.normal(size=(150, 12)).round(4)
    frames["befundvektoren"] = {"FallNr": case[with_note]} | {f"v_{k}": german(vectors[:, k]) for k in range(12)}
    for name, columns in frames.items():
        pd.DataFrame(columns).to_csv(folder / f"{name}.csv", sep=";", index=False, encoding="utf-8-sig")
    (folder / "LIESMICH.txt").write_text("Registerexport\nStand: 2021, bitte nicht weitergeben.\n", encoding="utf-8")
    return Export(
        source=folder,
        outcome="Verstorben",
        id="FallNr",
        subject="PatNr",
        environment="Klinik",
        groups=["Geschlecht"],
        kinds={
            "aufenthalte": "table",
            "labor": "events",
            "diagnosen": "codes",
            "medikation": "codes",
            "befundvektoren": "embedding",
        },
        times={"labor": "Abnahmezeit", "diagnosen": "ErfasstAm", "medikation": "Startzeit"},
        leaks=["EntlassZeit", "Entlassart", "Liegedauer_Tage"],
    )


def trial(folder: Path) -> Export:
    """A trial: one row per subject, a visit table, long findings by study day, terms and treatments."""
    rng = np.random.default_rng(2)
    n = PATIENTS
    subject = np.array([f"GX-{101 + number % 6}-{number:04d}" for number in range(n)])
    responds = rng.random(n) < 0.4
    died = rng.random(n) < 0.15
    dm = {
        "STUDYID": "GX-2",
        "USUBJID": subject,
        "SITEID": [str(101 + number % 6) for number in range(n)],
        "ARM": rng.choice(["Placebo", "Drug 10 mg"], n),
        "AGE": rng.integers(20, 80, n),
        "SEX": rng.choice(["F", "M"], n),
        "RACE": rng.choice(["WHITE", "BLACK OR AFRICAN AMERICAN", "ASIAN"], n),
        "RFSTDTC": (pd.Timestamp("2016-01-01") + pd.to_timedelta(rng.integers(0, 700, n), unit="D")).strftime(
            "%Y-%m-%d"
        ),
        "DTHFL": np.where(died, "Y", ""),
        "DTHDY": np.where(died, rng.integers(100, 400, n).astype(str), ""),
        "RESPONSE": np.where(responds, "Responder", "Non-responder"),
    }
    pd.DataFrame(dm).to_csv(folder / "dm.csv", index=False)
    screened = np.sort(rng.choice(n, 220, replace=False))
    baseline = {
        "USUBJID": subject[screened],
        "HEIGHT": rng.normal(170, 9, 220).round(1),
        "WEIGHT": np.where(rng.random(220) < 0.1, -9, rng.normal(78, 12, 220).round(1)),
        "ECOG": rng.integers(0, 3, 220),
        "SMOKER": rng.choice(["never", "former", "current"], 220),
    }
    pd.DataFrame(baseline).to_csv(folder / "baseline_visit.csv", index=False)
    of = rng.integers(0, n, 5000)
    test = rng.choice(["ALT", "AST", "HGB", "PLT"], 5000)
    lb = {
        "USUBJID": subject[of],
        "LBSEQ": np.arange(5000),
        "LBTESTCD": test,
        "LBSTRESN": (rng.normal(30, 6, 5000) + 4 * responds[of]).round(1),
        "LBSTRESU": "U/L",
        "LBDY": rng.integers(-7, 60, 5000),
    }
    pd.DataFrame(lb).to_csv(folder / "lb.csv.gz", index=False)
    of = rng.integers(0, n, 1400)
    ae = {
        "USUBJID": subject[of],
        "AETERM": rng.choice(["headache", "nausea", "rash", "fatigue", "cough"], 1400),
        "AESEV": rng.choice(["MILD", "MODERATE", "SEVERE"], 1400),
        "AESTDY": rng.integers(1, 90, 1400),
    }
    pd.DataFrame(ae).to_csv(folder / "ae.csv", index=False)
    of = rng.integers(0, n, 900)
    cm = {
        "USUBJID": subject[of],
        "CMTRT": rng.choice(["paracetamol", "ibuprofen", "omeprazole", "metformin"], 900),
        "CMSTDY": rng.integers(-100, 60, 900),
    }
    pd.DataFrame(cm).to_csv(folder / "cm.csv", index=False)
    return Export(
        source=folder,
        outcome="RESPONSE",
        id="USUBJID",
        subject=None,
        environment="SITEID",
        groups=["SEX", "RACE"],
        kinds={"dm": "table", "baseline_visit": "table", "lb": "events", "ae": "codes", "cm": "codes"},
        times={"lb": "LBDY", "ae": "AESTDY", "cm": "CMSTDY"},
        leaks=["DTHFL", "DTHDY"],
    )


def warehouse(folder: Path, suffix: str = "duckdb") -> Export:
    """A laboratory's warehouse: one database file, facts and dimensions, typed columns."""
    rng = np.random.default_rng(3)
    n = PATIENTS
    key = rng.permutation(np.arange(90_000, 90_000 + n))
    person = rng.integers(1, n * 2 // 3, n)
    back = rng.random(n) < 0.25
    admitted = pd.Timestamp("2021-05-01") + pd.to_timedelta(rng.integers(0, 300 * 1440, n), unit="min")
    people = np.arange(1, n)
    frames = {
        "dim_patient": pd.DataFrame(
            {
                "patient_sk": people,
                "sex": rng.choice(["female", "male"], len(people)),
                "ethnic_group": rng.choice(["A", "B", "C"], len(people)),
                "birth_year": rng.integers(1930, 2000, len(people)),
            }
        ),
        "fact_encounter": pd.DataFrame(
            {
                "encounter_key": key,
                "patient_sk": person,
                "facility": rng.choice(["North", "South", "Harbour"], n),
                "admit_ts": admitted,
                "discharge_ts": admitted + pd.to_timedelta(rng.integers(1440, 9 * 1440, n), unit="min"),
                "disposition": rng.choice(["home", "nursing home"], n),
                "readmit_30d": back,
            }
        ),
    }
    of = rng.integers(0, n, 7000)
    taken = admitted[of] + pd.to_timedelta(rng.integers(0, 4 * 1440, 7000), unit="min")
    frames["fact_result"] = pd.DataFrame(
        {
            "result_sk": np.arange(7000),
            "encounter_key": key[of],
            "collected_ts": taken,
            "resulted_ts": taken + pd.to_timedelta(rng.integers(20, 300, 7000), unit="min"),
            "analyte_code": rng.choice([1001, 1002, 1003, 1004, 1005], 7000),
            "numeric_value": rng.normal(10, 2, 7000) + back[of],
            "units": "mmol/L",
        }
    )
    of = rng.integers(0, n, 2500)
    frames["fact_order"] = pd.DataFrame(
        {
            "encounter_key": key[of],
            "order_ts": admitted[of] + pd.to_timedelta(rng.integers(0, 3 * 1440, 2500), unit="min"),
            "orderable": rng.choice(["CT head", "CT chest", "X-ray", "MRI", "Ultrasound"], 2500),
        }
    )
    frames["dim_analyte"] = pd.DataFrame({"analyte_code": [1001, 1002, 1003, 1004, 1005], "analyte": list("ABCDE")})
    file = folder / f"warehouse.{suffix}"
    if suffix == "duckdb":
        import duckdb

        with duckdb.connect(str(file)) as database:
            for name, frame in frames.items():
                database.register("incoming", frame)
                database.execute(f"CREATE TABLE {name} AS SELECT * FROM incoming")
                database.unregister("incoming")
    else:
        import sqlite3

        with sqlite3.connect(file) as database:
            for name, frame in frames.items():
                frame.to_sql(name, database, index=False)
    return Export(
        source=file,
        outcome="readmit_30d",
        id="encounter_key",
        subject="patient_sk",
        environment="facility",
        groups=["sex", "ethnic_group"],
        kinds={"fact_encounter": "table", "fact_result": "events", "fact_order": "codes"},
        times={"fact_result": "collected_ts", "fact_order": "order_ts"},
        leaks=["discharge_ts", "disposition"],
    )


def german(numbers: np.ndarray) -> list[str]:
    """Numbers with a comma for the point."""
    return [str(number).replace(".", ",") for number in numbers]
