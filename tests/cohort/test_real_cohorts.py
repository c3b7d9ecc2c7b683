"""Real exports: counts and edges against what their READMEs and pandas say."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gdsfd.cohort.build import build_cohort
from gdsfd.cohort.cohort import Cohort, EventObservations, TableObservations
from gdsfd.cohort.spec import CohortSpec

pytestmark = pytest.mark.data

STAY = "patientunitstayid"
#: eICU modality (= table) -> its fields; each is taken without window or filter
EICU: dict[str, dict[str, Any]] = {
    "apacheApsVar": {"kind": "table"},
    "vitalAperiodic": {
        "kind": "events",
        "values": [
            "noninvasivesystolic", "noninvasivediastolic", "noninvasivemean", "paop", "cardiacoutput", "cardiacinput",
            "svr", "svri", "pvr", "pvri",
        ],
        "min_count": 1,
    },
    "medication": {"kind": "codes", "code": "drugname"},
    "diagnosis": {"kind": "codes", "code": "diagnosisstring", "separator": "|"},
    "treatment": {"kind": "codes", "code": "treatmentstring"},
    "allergy": {"kind": "codes", "code": "allergyname"},
    "pastHistory": {"kind": "codes", "code": "pasthistorypath"},
    "admissionDx": {"kind": "codes", "code": "admitdxpath"},
    "infusionDrug": {"kind": "codes", "code": "drugname"},
    "respiratoryCharting": {"kind": "codes", "code": "respchartvaluelabel"},
    "respiratoryCare": {"kind": "codes", "code": "airwaytype"},
    "admissionDrug": {"kind": "codes", "code": "drugname"},
    "microLab": {"kind": "codes", "code": "organism"},
    "intakeOutput": {"kind": "events", "item": "celllabel", "value": "cellvaluenumeric", "min_count": 1},
}  # fmt: skip


@pytest.fixture(scope="module")
def eicu(data_dir: Path) -> Cohort:
    modality = [{"name": name, "source": f"{name}.csv.gz", "id": STAY, **fields} for name, fields in EICU.items()]
    return build_cohort(
        CohortSpec(
            base_dir=data_dir / "eicu_demo",
            cohort={
                "source": "patient.csv.gz",
                "id": STAY,
                "subject": "uniquepid",
                "environment": "region",
                "groups": ["gender", "ethnicity"],
                "join": {"source": "hospital.csv.gz", "on": "hospitalid", "columns": "region"},
            },
            outcome={"name": "death", "column": "hospitaldischargestatus", "positive": "Expired", "negative": "Alive"},
            split={"folds": 5, "fold": 0},
            modality=modality,
        )
    )


def test_eicu_edges_equal_the_published_presence(eicu: Cohort, data_dir: Path) -> None:
    published = pd.read_csv(data_dir / "eicu_demo" / "table_presence_by_stay.csv", dtype={STAY: str}).set_index(STAY)
    assert set(eicu.id) == set(published.index)
    for name, observed in eicu.observations.items():
        present = np.zeros(len(eicu), dtype=int)
        present[observed.patient] = 1
        different = np.flatnonzero(present != published.loc[eicu.id, name].to_numpy())
        assert not len(different), (name, [eicu.id[row] for row in different[:5]])


def test_eicu_cohort_is_as_its_readme_says(eicu: Cohort) -> None:
    assert len(eicu) == 2520
    assert len(set(eicu.subject)) == 1841
    assert np.nansum(eicu.y) == 212
    assert np.isnan(eicu.y).sum() == 28
    assert eicu.environment is not None
    regions = {"Midwest": 807, "South": 738, "West": 606, "Northeast": 159, "Unknown": 210}
    assert Counter(eicu.environment) == regions
    assert Counter(eicu.groups["ethnicity"])["African American"] == 231
    assert eicu.receipt.subjects["overlap"] == 0
    people = pd.DataFrame({"subject": eicu.subject, "split": eicu.split, "died": eicu.y[:, 0]}).groupby("subject")
    died = people.agg({"split": "first", "died": "max"}).groupby("split").died.agg(["sum", "count"])
    assert abs(died["sum"]["test"] - died["sum"].sum() / 5) <= 1  # stratified by person


@pytest.mark.slow
def test_eicu_first_day_vitals_against_pandas(data_dir: Path) -> None:
    values = EICU["vitalAperiodic"]["values"]
    modality = {"name": "v", "kind": "events", "source": "vitalAperiodic.csv.gz", "id": STAY, "min_count": 1}
    cohort = build_cohort(
        CohortSpec(
            base_dir=data_dir / "eicu_demo",
            cohort={"source": "patient.csv.gz", "id": STAY, "subject": "uniquepid"},
            outcome={"name": "death", "column": "hospitaldischargestatus", "positive": "Expired"},
            modality={**modality, "values": values, "time": "observationoffset", "window": [0, 1440]},
        )
    )
    observed = cohort.observations["v"]
    assert isinstance(observed, EventObservations)
    raw = pd.read_csv(data_dir / "eicu_demo" / "vitalAperiodic.csv.gz", dtype={STAY: str})
    raw = raw[(raw.observationoffset >= 0) & (raw.observationoffset < 1440)]
    items = list(cohort.schema.modalities[0].items)
    long = raw.melt([STAY, "observationoffset"], items, var_name="item").dropna()
    long["patient"] = long[STAY].map({own: row for row, own in enumerate(cohort.id)})
    long["number"] = long["item"].map({name: number for number, name in enumerate(items)})
    long["step"] = long.observationoffset // 60
    cells = long.groupby(["patient", "step", "number"]).value.mean().reset_index()
    np.testing.assert_array_equal(np.repeat(observed.patient, np.diff(observed.ptr)), cells.patient)
    np.testing.assert_array_equal(observed.step, cells.step)
    np.testing.assert_array_equal(observed.item, cells.number)
    np.testing.assert_allclose(observed.value, cells.value, rtol=1e-6)


#: MIMIC table -> the rows and the share of the 275 admissions that the folder's README states
MIMIC = {
    "hosp/diagnoses_icd": ("icd_code", 4506, 1.0),
    "hosp/procedures_icd": ("icd_code", 722, 0.68),
    "hosp/prescriptions": ("drug", 18087, 0.909),
    "hosp/drgcodes": ("drg_code", 454, 0.847),
    "hosp/emar": ("medication", 35835, 0.658),
    "hosp/microbiologyevents": ("test_name", 2899, 0.622),
    "hosp/services": ("curr_service", 319, 1.0),
    "hosp/transfers": ("careunit", 1190, 1.0),
    "icu/icustays": ("first_careunit", 140, 0.465),
    "icu/procedureevents": ("itemid", 1468, 0.465),
    "icu/datetimeevents": ("itemid", 15280, 0.462),
}


@pytest.fixture(scope="module")
def mimic(data_dir: Path) -> Cohort:
    codes = [
        {"name": table.split("/")[1], "kind": "codes", "source": f"{table}.csv.gz", "id": "hadm_id", "code": code}
        for table, (code, _, _) in MIMIC.items()
    ]
    timed = {"kind": "events", "id": "hadm_id", "time": "charttime", "origin": "admittime", "window": [0, 2880]}
    labs = {"name": "labs", "source": "hosp/labevents.csv.gz", "item": "itemid", "value": "valuenum", **timed}
    inputs = {"name": "inputs", "source": "icu/inputevents.csv.gz", "item": "itemid", "value": "amount", **timed}
    return build_cohort(
        CohortSpec(
            base_dir=data_dir / "mimic_iv_demo",
            cohort={"source": "hosp/admissions.csv.gz", "id": "hadm_id", "subject": "subject_id", "groups": ["race"]},
            outcome={"name": "death", "column": "hospital_expire_flag", "positive": 1, "negative": 0},
            modality=[*codes, labs, {**inputs, "time": "starttime"}],
        )
    )


def test_mimic_counts_equal_its_readme(mimic: Cohort) -> None:
    assert len(mimic) == 275
    assert len(set(mimic.subject)) == 100
    assert mimic.y.sum() == 15
    receipts = {receipt.name: receipt for receipt in mimic.receipt.modalities}
    for table, (_, rows, share) in MIMIC.items():
        receipt = receipts[table.split("/")[1]]
        assert receipt.rows_read == rows, table
        assert receipt.rows_read == receipt.rows_kept + sum(drop.rows for drop in receipt.drops)
        assert round(receipt.patients / 275, 3) == share, table
    assert receipts["labs"].rows_read == 107727
    assert receipts["inputs"].rows_read == 20404


def test_mimic_labs_count_from_admission(mimic: Cohort, data_dir: Path) -> None:
    folder = data_dir / "mimic_iv_demo" / "hosp"
    labs = pd.read_csv(folder / "labevents.csv.gz", dtype=str, low_memory=False)
    admissions = pd.read_csv(folder / "admissions.csv.gz", dtype=str)
    joined = labs.merge(admissions[["hadm_id", "admittime"]], on="hadm_id")
    minutes = (pd.to_datetime(joined.charttime) - pd.to_datetime(joined.admittime)).dt.total_seconds() / 60
    fields = next(fields for fields in mimic.schema.modalities if fields.name == "labs")
    kept = joined[(minutes >= 0) & (minutes < 2880) & joined.valuenum.notna() & joined.itemid.isin(fields.items)]
    observed = mimic.observations["labs"]
    assert isinstance(observed, EventObservations)
    assert observed.summary[:, 0].sum() == len(kept)
    assert len(observed.patient) == kept.hadm_id.nunique()
    drops = {drop.reason: drop.rows for drop in mimic.receipt.modalities[-2].drops}
    assert drops["blank hadm_id"] == labs.hadm_id.isna().sum()


@pytest.mark.slow
def test_physionet_clock_times_and_readme_shares(data_dir: Path) -> None:
    groups = {"lactate": (["Lactate"], 0.548), "urine": (["Urine"], 0.974), "lipid": (["Cholesterol"], 0.079)}
    folder = data_dir / "physionet2012_set_a"
    events = {"kind": "events", "source": "set_a_events.csv.gz", "id": "RecordID", "time": "Time"}
    events |= {"item": "Parameter", "value": "Value", "missing": -1, "window": [0, 3000]}
    modality: list[dict[str, Any]] = [
        {"name": name, "where": f"Parameter IN ({', '.join(repr(item) for item in items)})", **events}
        for name, (items, _) in groups.items()
    ]
    static = {"name": "static", "kind": "table", "source": "set_a_patients.csv", "id": "RecordID", "missing": -1}
    modality.append({**static, "columns": ["Age", "Height", "ICUType"], "categorical": ["ICUType"]})
    cohort = build_cohort(
        CohortSpec(
            base_dir=folder,
            cohort={"source": "set_a_patients.csv", "id": "RecordID", "environment": "ICUType", "groups": "Gender"},
            outcome={"name": "death", "column": "In-hospital_death", "positive": 1},
            modality=modality,
        )
    )
    assert len(cohort) == 4000
    assert round(float(cohort.y.mean()), 4) == 0.1385
    raw = pd.read_csv(folder / "set_a_events.csv.gz", dtype={"RecordID": str})
    for receipt in cohort.receipt.modalities[:3]:
        assert receipt.rows_read == 1733980
        items, share = groups[receipt.name]
        measured = raw[raw.Parameter.isin(items) & (raw.Value != -1)]
        assert receipt.patients == measured.RecordID.nunique()
        assert receipt.patients / 4000 == pytest.approx(share, abs=0.005)  # the README's shares are a little higher
    lactate = raw[(raw.Parameter == "Lactate") & (raw.Value != -1)].copy()
    hours, minutes = lactate.Time.str.split(":", expand=True).astype(int).to_numpy().T
    lactate["step"] = (hours * 60 + minutes) // 60
    observed = cohort.observations["lactate"]
    assert isinstance(observed, EventObservations)
    cells = lactate.groupby(["RecordID", "step"]).Value.mean()
    decoded = pd.Series(
        observed.value,
        index=[np.array(cohort.id)[np.repeat(observed.patient, np.diff(observed.ptr))], observed.step],
    )
    np.testing.assert_allclose(decoded.sort_index(), cells.sort_index(), rtol=1e-6)


def test_uci_sites_hold_out_and_zero_cholesterol(data_dir: Path) -> None:
    blood = {"name": "blood", "kind": "table", "source": "heart_disease_4sites.csv", "id": "patient_id"}
    cohort = build_cohort(
        CohortSpec(
            base_dir=data_dir / "uci_heart_disease",
            cohort={"source": "heart_disease_4sites.csv", "id": "patient_id", "environment": "site", "groups": "sex"},
            outcome={"name": "disease", "column": "num", "positive": [1, 2, 3, 4], "negative": 0},
            split={"kind": "environment", "holdout": ["va"]},
            modality={**blood, "columns": ["chol", "fbs"], "derive": {"chol": "nullif(chol, 0)"}},
        )
    )
    assert Counter(cohort.split)["test"] == 200
    assert round(float(cohort.y.mean()), 3) == 0.553
    shares = {"cleveland": 1.0, "hungarian": 1.0, "switzerland": 0.39, "va": 0.98}
    assert cohort.environment is not None
    sites = np.array(cohort.environment)
    present = np.zeros(len(cohort), dtype=bool)
    present[cohort.observations["blood"].patient] = True
    for site, share in shares.items():
        assert float(present[sites == site].mean()) == pytest.approx(share, abs=0.0051)


def test_support2_padded_numbers_and_labels(data_dir: Path) -> None:
    table = {"kind": "table", "source": "support2.csv.gz", "id": "sno"}
    cohort = build_cohort(
        CohortSpec(
            base_dir=data_dir / "support2",
            cohort={"source": "support2.csv.gz", "id": "sno", "environment": "dzclass", "groups": ["sex", "race"]},
            outcome={"name": "hospdead", "column": "hospdead", "positive": 1},
            modality=[
                {**table, "name": "demographics", "columns": ["age", "sex", "race", "edu", "income"]},
                {**table, "name": "renal", "columns": ["glucose", "bun", "urine"]},
                {**table, "name": "function", "columns": ["adlp", "adls"]},
            ],
        )
    )
    assert len(cohort) == 9105
    assert round(float(cohort.y.mean()), 4) == 0.2592
    assert Counter(cohort.groups["race"])["Unknown"] == 42
    demographics = cohort.observations["demographics"]
    assert isinstance(demographics, TableObservations)
    raw = pd.read_csv(data_dir / "support2" / "support2.csv.gz", skipinitialspace=True)
    np.testing.assert_allclose(demographics.numeric[:, 0], raw.age, rtol=1e-6)
    assert cohort.schema.modalities[0].categorical == ("sex", "race", "income")
    shares = [round(receipt.patients / 9105, 3) for receipt in cohort.receipt.modalities]
    assert shares == [1.0, 0.526, 0.773]
