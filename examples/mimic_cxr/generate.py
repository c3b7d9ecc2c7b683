"""Files in the layout of MIMIC-IV, MIMIC-CXR and the phenotyping benchmark: names as there, every value invented.

``python examples/mimic_cxr/generate.py --out examples/mimic_cxr/exports`` takes a few seconds. The files are

- ``hosp/patients.csv.gz``, ``hosp/admissions.csv.gz``, ``hosp/labevents.csv.gz``, ``icu/icustays.csv.gz`` and
  ``icu/chartevents.csv.gz`` of MIMIC-IV;
- ``mimic-cxr-2.0.0-metadata.csv.gz`` of MIMIC-CXR-JPG, a row per image, with a study's date and time as two numbers;
- ``cxr_embeddings.parquet``, which everyone makes with an image encoder of their own: ``dicom_id`` and a list;
- ``phenotyping/listfile.csv``, the benchmark's 25 labels per stay.

What is true to the source besides the names: an admission may have several stays in the ICU, and the benchmark leaves
it out then; people come again; laboratory rows of outpatients have no ``hadm_id``; results without a number; charted
values that cannot be (a heart rate of 999999); temperatures in either unit under two items; images carry no stay,
only a person and a time, most of them taken of the sickest, some before the ICU and many after the second day, and
lateral views beside frontal ones. Not true to the source: some entries of the labels are blank, as they are where
phenotypes come from a review of charts that is not finished.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

__all__ = ["PHENOTYPES", "write"]

#: The benchmark's names. A phenotype's weight on severity falls from first to last.
PHENOTYPES = [
    "Acute and unspecified renal failure",
    "Shock",
    "Septicemia (except in labor)",
    "Respiratory failure; insufficiency; arrest (adult)",
    "Pneumonia (except that caused by tuberculosis or sexually transmitted disease)",
    "Fluid and electrolyte disorders",
    "Congestive heart failure; nonhypertensive",
    "Pleurisy; pneumothorax; pulmonary collapse",
    "Acute cerebrovascular disease",
    "Acute myocardial infarction",
    "Cardiac dysrhythmias",
    "Chronic kidney disease",
    "Chronic obstructive pulmonary disease and bronchiectasis",
    "Complications of surgical procedures or medical care",
    "Conduction disorders",
    "Coronary atherosclerosis and other heart disease",
    "Diabetes mellitus with complications",
    "Diabetes mellitus without complication",
    "Disorders of lipid metabolism",
    "Essential hypertension",
    "Gastrointestinal hemorrhage",
    "Hypertension with complications and secondary hypertension",
    "Other liver diseases",
    "Other lower respiratory disease",
    "Other upper respiratory disease",
]
UNITS = [
    "Medical Intensive Care Unit (MICU)",
    "Surgical Intensive Care Unit (SICU)",
    "Cardiac Vascular Intensive Care Unit (CVICU)",
    "Neuro Intermediate",
]
#: itemid: mean, change with severity, noise, unit, hours between readings.
CHART = {
    220045: (84, 6, 12, "bpm", 2),
    220210: (18, 2, 4, "insp/min", 2),
    220277: (97, -1, 2, "%", 3),
    220179: (122, -7, 15, "mmHg", 3),
    220180: (66, -4, 10, "mmHg", 3),
    223761: (98.4, 0.4, 1.0, "°F", 6),
    223762: (36.9, 0.2, 0.5, "°C", 16),
    223901: (5.6, -0.5, 0.5, "", 6),
}
LABS = {
    50912: (1.1, 0.5, 0.3, "mg/dL", 12),
    50971: (4.2, 0.15, 0.5, "mEq/L", 8),
    50983: (139, 0, 4, "mEq/L", 12),
    51301: (10.5, 1.7, 3.5, "K/uL", 16),
    51222: (10.8, -0.5, 1.6, "g/dL", 16),
    51265: (215, -18, 70, "K/uL", 24),
    50813: (1.6, 0.8, 0.5, "mmol/L", 18),
}
WIDTH = 16  #: components of an embedding; of a real encoder 512 to 2,048


def write(folder: str | Path, people: int = 260, seed: int = 0) -> None:
    """Writes the files.

    Args:
        folder: Where to; made if need be.
        people: Persons; there are some more stays than persons.
        seed: The same seed gives the same values.
    """
    folder = Path(folder)
    for name in ("hosp", "icu", "phenotyping"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    stays = _stays(rng, people)
    labels = _labels(rng, stays)
    tables = {
        "hosp/patients": _patients(rng, stays),
        "hosp/admissions": _admissions(rng, stays),
        "hosp/labevents": _labs(rng, stays),
        "icu/icustays": _icustays(stays),
        "icu/chartevents": _chart(rng, stays),
    }
    images, vectors = _images(rng, stays, labels)
    tables["mimic-cxr-2.0.0-metadata"] = images
    for name, table in tables.items():
        table.to_csv(folder / f"{name}.csv.gz", index=False, compression={"method": "gzip", "mtime": 0})
    listed = ~stays.duplicated("hadm_id", keep=False)  # the benchmark has admissions with one stay only
    head = pd.DataFrame(
        {
            "stay": [f"{own}_episode1_timeseries.csv" for own in stays["subject_id"]],
            "period_length": (stays["los"] * 24).round(4),
            "stay_id": stays["stay_id"],
        }
    )
    pd.concat([head, labels], axis=1)[listed].to_csv(folder / "phenotyping" / "listfile.csv", index=False)
    vectors.to_parquet(folder / "cxr_embeddings.parquet")


def _stays(rng: np.random.Generator, people: int) -> pd.DataFrame:
    """A row per stay, with what the files do not tell: how severe it is and what the person has for good."""
    subject = np.sort(rng.choice(np.arange(10_000_000, 19_999_999), people, replace=False))
    row = np.repeat(np.arange(people), rng.choice([1, 2, 3], people, p=[0.8, 0.15, 0.05]))
    count = len(row)
    chronic = rng.normal(0, 1, people)
    stays = pd.DataFrame({"subject_id": subject[row], "chronic": chronic[row]})
    stays["severity"] = 0.6 * stays["chronic"] + rng.normal(0, 0.8, count)
    stays["first_careunit"] = rng.choice(UNITS, count, p=[0.4, 0.25, 0.25, 0.1])
    number = stays.groupby("subject_id").cumcount()
    begin = pd.Timestamp("2150-03-01") + pd.to_timedelta(rng.integers(0, 12_000, people)[row] + 400 * number, unit="D")
    stays["admittime"] = begin + pd.to_timedelta(rng.integers(0, 1440, count), unit="min")
    stays["intime"] = stays["admittime"] + pd.to_timedelta(rng.integers(60, 900, count), unit="min")
    stays["los"] = np.exp(rng.normal(1.05 + 0.2 * stays["severity"], 0.55)).clip(0.3, 30).round(4)
    stays["hadm_id"] = 20_000_000 + rng.choice(9_999_999, count, replace=False)
    # Some come back to the ICU within one admission.
    again = stays[rng.random(count) < 0.08].copy()
    again["intime"] = again["intime"] + pd.to_timedelta(again["los"] + 1.5, unit="D")
    stays = pd.concat([stays, again]).sort_values(["subject_id", "intime"]).reset_index(drop=True)
    stays["intime"] = stays["intime"].dt.floor("s")
    stays["outtime"] = (stays["intime"] + pd.to_timedelta(stays["los"], unit="D")).dt.floor("s")
    stays["stay_id"] = 30_000_000 + rng.choice(9_999_999, len(stays), replace=False)
    return stays


def _labels(rng: np.random.Generator, stays: pd.DataFrame) -> pd.DataFrame:
    acute = np.linspace(1.3, 0.2, len(PHENOTYPES))
    score = np.outer(stays["severity"], acute) + np.outer(stays["chronic"], acute[::-1] * 0.7)
    chance = 1 / (1 + np.exp(-(score - rng.uniform(0.9, 1.6, len(PHENOTYPES)))))
    labels = pd.DataFrame(rng.random(chance.shape) < chance, columns=PHENOTYPES).astype("Int64")
    return labels.mask(rng.random(chance.shape) < 0.03)


def _patients(rng: np.random.Generator, stays: pd.DataFrame) -> pd.DataFrame:
    subject = stays["subject_id"].drop_duplicates()
    age = rng.normal(64, 15, len(subject)).clip(18, 91).astype(int)
    era = rng.choice(["2008 - 2010", "2011 - 2013", "2014 - 2016", "2017 - 2019"], len(subject))
    return pd.DataFrame(
        {
            "subject_id": subject,
            "gender": rng.choice(["F", "M"], len(subject), p=[0.44, 0.56]),
            "anchor_age": age,
            "anchor_year": 2150,
            "anchor_year_group": era,
            "dod": "",
        }
    )


def _admissions(rng: np.random.Generator, stays: pd.DataFrame) -> pd.DataFrame:
    table = stays.drop_duplicates("hadm_id", keep="last")
    count = len(table)
    died = rng.random(count) < 1 / (1 + np.exp(2.3 - table["severity"]))
    leave = table["outtime"] + pd.to_timedelta(np.where(died, 0, rng.integers(600, 9000, count)), unit="min")
    kinds = ["EW EMER.", "URGENT", "SURGICAL SAME DAY ADMISSION", "OBSERVATION ADMIT"]
    places = ["EMERGENCY ROOM", "PHYSICIAN REFERRAL", "TRANSFER FROM HOSPITAL"]
    return pd.DataFrame(
        {
            "subject_id": table["subject_id"],
            "hadm_id": table["hadm_id"],
            "admittime": table["admittime"],
            "dischtime": leave,
            "deathtime": leave.where(died),
            "admission_type": rng.choice(kinds, count, p=[0.55, 0.2, 0.15, 0.1]),
            "admission_location": rng.choice(places, count, p=[0.55, 0.2, 0.25]),
            "discharge_location": np.where(died, "DIED", "HOME"),
            "insurance": rng.choice(["Medicare", "Medicaid", "Other"], count, p=[0.45, 0.1, 0.45]),
            "race": rng.choice(
                ["WHITE", "BLACK/AFRICAN AMERICAN", "ASIAN", "UNKNOWN"], count, p=[0.7, 0.12, 0.04, 0.14]
            ),
            "hospital_expire_flag": died.astype(int),
        }
    )


def _icustays(stays: pd.DataFrame) -> pd.DataFrame:
    columns = ["subject_id", "hadm_id", "stay_id", "first_careunit", "last_careunit", "intime", "outtime", "los"]
    return stays.assign(last_careunit=stays["first_careunit"])[columns]


def _readings(rng: np.random.Generator, stays: pd.DataFrame, items: dict[int, tuple], early: int) -> pd.DataFrame:
    """Rows of all items from ``early`` minutes before the ICU to the end of the stay; of some stays none of an item."""
    pieces = []
    for itemid, (mean, change, noise, unit, hours) in items.items():
        minutes = ((stays["outtime"] - stays["intime"]).dt.total_seconds() / 60 + early).to_numpy()
        number = np.minimum(minutes / 60 / hours, 60).astype(int) * (rng.random(len(stays)) < 0.94)
        own = np.repeat(np.arange(len(stays)), number)
        at = (rng.random(len(own)) * minutes[own] - early).astype(int)
        value = rng.normal(mean + change * stays["severity"].to_numpy()[own], noise).clip(0.1)
        piece = stays[["subject_id", "hadm_id", "stay_id", "intime"]].iloc[own].reset_index(drop=True)
        piece["charttime"] = piece["intime"] + pd.to_timedelta(at, unit="min")
        pieces.append(piece.assign(itemid=itemid, valuenum=value.round(1), valueuom=unit))
    rows = pd.concat(pieces).sort_values(["subject_id", "charttime", "itemid"]).reset_index(drop=True)
    return rows.assign(value=rows["valuenum"].astype(str))


def _chart(rng: np.random.Generator, stays: pd.DataFrame) -> pd.DataFrame:
    rows = _readings(rng, stays, CHART, early=0)
    rows["storetime"] = rows["charttime"] + pd.to_timedelta(rng.integers(1, 90, len(rows)), unit="min")
    motor = rows["itemid"] == 223901
    rows.loc[motor, "valuenum"] = rows.loc[motor, "valuenum"].round().clip(1, 6)
    answers = [
        "No response",
        "Abnormal extension",
        "Abnormal Flexion",
        "Flex-withdraws",
        "Localizes Pain",
        "Obeys Commands",
    ]
    rows.loc[motor, "value"] = [answers[int(number) - 1] for number in rows.loc[motor, "valuenum"]]
    wrong = rng.random(len(rows)) < 0.003
    rows.loc[wrong & ~motor, ["value", "valuenum"]] = ["999999", 999999]
    rows["warning"] = (rng.random(len(rows)) < 0.01).astype(int)
    rows["caregiver_id"] = rng.integers(1000, 99999, len(rows))
    columns = ["subject_id", "hadm_id", "stay_id", "caregiver_id", "charttime", "storetime", "itemid", "value"]
    return rows[[*columns, "valuenum", "valueuom", "warning"]]


def _labs(rng: np.random.Generator, stays: pd.DataFrame) -> pd.DataFrame:
    rows = _readings(rng, stays, LABS, early=360)
    rows["storetime"] = rows["charttime"] + pd.to_timedelta(rng.integers(20, 400, len(rows)), unit="min")
    rows["hadm_id"] = rows["hadm_id"].astype("Int64").mask(rng.random(len(rows)) < 0.05)  # of outpatients
    no_number = rng.random(len(rows)) < 0.02
    rows.loc[no_number, "valuenum"] = np.nan
    rows.loc[no_number, "value"] = "___"
    rows["storetime"] = rows["storetime"].mask(rng.random(len(rows)) < 0.01)
    rows.insert(0, "labevent_id", np.arange(1, len(rows) + 1))
    rows["specimen_id"] = rng.integers(1, 99_999_999, len(rows))
    rows["flag"], rows["priority"], rows["comments"] = "", "STAT", np.where(no_number, "HEMOLYZED SPECIMEN.", "")
    columns = ["labevent_id", "subject_id", "hadm_id", "specimen_id", "itemid", "charttime", "storetime", "value"]
    return rows[[*columns, "valuenum", "valueuom", "flag", "priority", "comments"]]


def _images(rng: np.random.Generator, stays: pd.DataFrame, labels: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Chest radiographs: the sicker, the likelier, and of some several; two views of a study are two images."""
    chance = 1 / (1 + np.exp(-(0.2 + 1.6 * stays["severity"])))
    own = np.repeat(np.arange(len(stays)), (rng.random(len(stays)) < chance) * rng.integers(1, 4, len(stays)))
    taken = stays.iloc[own].reset_index(drop=True)
    hours = rng.uniform(-10, np.minimum(taken["los"] * 24, 120))
    at = taken["intime"] + pd.to_timedelta((hours * 3600).astype(int), unit="s")
    study = 50_000_000 + rng.choice(9_999_999, len(taken), replace=False)
    lateral = np.flatnonzero(rng.random(len(taken)) < 0.25)
    image = np.concatenate([np.arange(len(taken)), lateral])
    seen = labels.iloc[own].fillna(0).to_numpy(float)[:, [4, 6, 7]]  # pneumonia, heart failure, effusion
    direction = rng.normal(size=(3, WIDTH))
    vector = (seen @ direction)[image] + rng.normal(0, 1.6, (len(image), WIDTH))
    dicom = [f"{rng.integers(0, 2**63):016x}-{number:08x}" for number in range(len(image))]
    frontal = rng.choice(["AP", "PA"], len(taken), p=[0.85, 0.15])
    metadata = pd.DataFrame(
        {
            "dicom_id": dicom,
            "subject_id": taken["subject_id"].to_numpy()[image],
            "study_id": study[image],
            "PerformedProcedureStepDescription": "CHEST (PORTABLE AP)",
            "ViewPosition": np.concatenate([frontal, np.full(len(lateral), "LATERAL")]),
            "Rows": 3056,
            "Columns": 2544,
            "StudyDate": at.dt.strftime("%Y%m%d").to_numpy()[image],
            # A number: 00:11:05 is 1105.0, and the seconds have a fraction.
            "StudyTime": (at.dt.strftime("%H%M%S").astype(int) + 0.031).to_numpy()[image],
        }
    )
    vectors = pd.DataFrame({"dicom_id": dicom, "embedding": list(vector.astype(np.float32))})
    return metadata.sort_values(["subject_id", "study_id", "ViewPosition"]), vectors


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description="Writes files in the layout of MIMIC-IV and MIMIC-CXR, invented values."
    )
    parser.add_argument("--out", default=Path(__file__).parent / "exports", help="folder to write to")
    parser.add_argument("--people", type=int, default=260)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    write(arguments.out, arguments.people, arguments.seed)
