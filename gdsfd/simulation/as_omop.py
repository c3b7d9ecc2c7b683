"""A simulated cohort as tables of the OMOP common data model (5.4), with labels and a spec of a few lines."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from gdsfd.simulation.export_events import write_csv
from gdsfd.simulation.recorded import Recorded

__all__ = ["FIRST_ANCESTOR", "FIRST_CONCEPT", "write_omop"]

#: Ids from here on are a site's own concepts in OMOP.
FIRST_CONCEPT = 2_000_000_001
#: Concepts that all concepts of a modality are below, in the order of the modalities.
FIRST_ANCESTOR = 2_100_000_001
#: OMOP's concepts of where a record comes from, and of sexes.
_LAB, _EHR = 32856, 32817
_SEX = {"F": 8532, "M": 8507}
_INPATIENT = 9201
#: Modality -> its table and the beginning of the table's columns.
_TABLE = {
    "labs": ("measurement", "measurement"),
    "vitals": ("measurement", "measurement"),
    "history": ("condition_occurrence", "condition"),
    "medications": ("drug_exposure", "drug"),
}
_START = {"measurement": "measurement", "condition": "condition_start", "drug": "drug_exposure_start"}
_DOMAIN = {"measurement": "Measurement", "condition": "Condition", "drug": "Drug"}
#: A history has no time in the exports; here it was recorded this many days before the admission.
_HISTORY_DAYS = 30


def write_omop(folder: Path, recorded: Recorded) -> None:
    """Writes one CSV per table, ``labels.csv`` in MEDS's label schema, ``splits.csv`` and ``spec.toml``.

    Results, signs, the history and medications have a place in OMOP; other modalities are left out. Rows of persons
    without a stay are left out, too: every row names its person's record.

    Args:
        folder: Where to.
        recorded: What was recorded.
    """
    stays = recorded.stays
    first = stays.drop_duplicates("subject")
    sites = sorted(stays["site"].unique()) if "site" in stays else []
    number = {site: position + 1 for position, site in enumerate(sites)}
    write_csv(_persons(first, number), folder / "person.csv")
    write_csv(pd.DataFrame({"care_site_id": list(number.values()), "care_site_name": sites}), folder / "care_site.csv")
    write_csv(_visits(stays, number), folder / "visit_occurrence.csv")
    write_csv(pd.DataFrame(columns=["person_id", "death_date", "death_type_concept_id"]), folder / "death.csv")
    rows = pd.concat([recorded.numbers, recorded.codes.assign(value=np.nan)], ignore_index=True)
    rows = rows[rows["modality"].isin(_TABLE) & rows["subject"].isin(first["subject"])]
    admitted = pd.Series(first["admitted"].to_numpy(), index=first["subject"])
    rows = rows.assign(time=rows["time"].fillna(rows["subject"].map(admitted) - pd.Timedelta(days=_HISTORY_DAYS)))
    names = sorted(set(zip(rows["modality"], rows["name"])), key=lambda pair: (list(_TABLE).index(pair[0]), pair[1]))
    concept = {pair: FIRST_CONCEPT + position for position, pair in enumerate(names)}
    write_csv(_concepts(concept), folder / "concept.csv")
    write_csv(_ancestors(concept), folder / "concept_ancestor.csv")
    rows = rows.assign(concept=[concept[pair] for pair in zip(rows["modality"], rows["name"])])
    for table, begin in dict.fromkeys(_TABLE.values()):
        held = [name for name, place in _TABLE.items() if place[0] == table]
        write_csv(_clinical(rows[rows["modality"].isin(held)], table, begin), folder / f"{table}.csv")
    labels = stays[["subject", "prediction_time", "label"]].set_axis(
        ["subject_id", "prediction_time", "boolean_value"], axis=1
    )
    write_csv(labels, folder / "labels.csv")
    write_csv(first[["subject", "split"]].rename(columns={"subject": "subject_id"}), folder / "splits.csv")
    used = [name for name in _TABLE if (rows["modality"] == name).any()]
    (folder / "spec.toml").write_text(_spec_text(used, bool(sites)), encoding="utf-8")


def _persons(first: pd.DataFrame, site: dict[str, int]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "person_id": first["subject"],
            "gender_concept_id": first["sex"].map(_SEX),
            "year_of_birth": first["admitted"].dt.year - first["age"],
            "race_concept_id": 0,
            "ethnicity_concept_id": 0,
            "care_site_id": first["site"].map(site) if site else "",
            "person_source_value": first["subject_id"],
            "gender_source_value": first["sex"],
            "ethnicity_source_value": first["ethnicity"],
        }
    )


def _visits(stays: pd.DataFrame, site: dict[str, int]) -> pd.DataFrame:
    end = stays["prediction_time"]
    return pd.DataFrame(
        {
            "visit_occurrence_id": range(1, len(stays) + 1),
            "person_id": stays["subject"],
            "visit_concept_id": _INPATIENT,
            "visit_start_date": stays["admitted"].dt.date,
            "visit_start_datetime": stays["admitted"],
            "visit_end_date": end.dt.date,
            "visit_end_datetime": end,
            "visit_type_concept_id": _EHR,
            "care_site_id": stays["site"].map(site) if site else "",
            "visit_source_value": stays["patient_id"],
        }
    )


def _clinical(rows: pd.DataFrame, table: str, begin: str) -> pd.DataFrame:
    start = _START[begin]
    # Midnight means in OMOP that the time of day is not known; of who was seen at midnight a second later is written.
    at_midnight = rows["time"] == rows["time"].dt.normalize()
    rows = rows.assign(time=rows["time"].where(~at_midnight, rows["time"] + pd.Timedelta(seconds=1)))
    columns = {
        f"{table}_id": range(1, len(rows) + 1),
        "person_id": rows["subject"],
        f"{begin}_concept_id": rows["concept"],
        f"{start}_date": rows["time"].dt.date,
        f"{start}_datetime": rows["time"],
        f"{begin}_type_concept_id": np.where(rows["modality"] == "labs", _LAB, _EHR),
    }
    if table == "measurement":
        columns |= {"value_as_number": rows["value"], "value_as_concept_id": 0, "unit_concept_id": 0}
    return pd.DataFrame({**columns, f"{begin}_source_value": rows["name"]})


def _concepts(concept: dict[tuple[str, str], int]) -> pd.DataFrame:
    modality, name = zip(*concept)
    return pd.DataFrame(
        {
            "concept_id": list(concept.values()),
            "concept_name": name,
            "domain_id": [_DOMAIN[_TABLE[each][1]] for each in modality],
            "vocabulary_id": "gdsfd simulation",
            "concept_class_id": modality,
            "standard_concept": "S",
            "concept_code": name,
        }
    )


def _ancestors(concept: dict[tuple[str, str], int]) -> pd.DataFrame:
    """Each concept below its own, and below that of its modality."""
    above = {name: FIRST_ANCESTOR + place for place, name in enumerate(_TABLE)}
    own = [*concept.values(), *above.values()]
    levels = [(each, each, 0) for each in own] + [(above[name], each, 1) for (name, _), each in concept.items()]
    frame = pd.DataFrame(levels, columns=["ancestor_concept_id", "descendant_concept_id", "min_levels_of_separation"])
    return frame.assign(max_levels_of_separation=frame["min_levels_of_separation"])


def _spec_text(used: list[str], has_site: bool) -> str:
    lines = [
        "# A simulated cohort as an OMOP database, written by gdsfd.simulate; gdsfd check shows what it stands for.",
        "# Outcome: deterioration after the first 24 hours, predicted at their end from what was recorded before.",
        "",
        "[cohort]",
        'format = "omop"',
        'source = "."',
        'labels = "labels.csv"',
        "bin = 240",
        *(['environment = "care_site_id"'] if has_site else []),
        'groups = ["gender_source_value", "ethnicity_source_value"]',
        "",
        "[[cohort.join]]",
        'source = "splits.csv"   # no part of OMOP',
        'on = "subject_id"',
        'columns = ["split"]',
        "",
        "[split]",
        'kind = "column"',
        'column = "split"',
        "",
        "[outcome]",
        'name = "deterioration"',
        'column = "boolean_value"',
        "positive = true",
        "negative = false",
        "",
        "[cohort.vocabulary]",
    ]
    for name in used:
        table = _TABLE[name][0]
        if table != "measurement":
            lines.append(f'{name} = "{table}"')
            continue
        where = f"measurement_type_concept_id = {_LAB if name == 'labs' else _EHR}"
        lines.append(f'{name} = {{ table = "{table}", where = "{where}" }}')
    for name in used:
        if name != "history":  # diagnoses count whenever they were made
            lines += ["", "[[modality]]", f'name = "{name}"', "window = [-1440, 0]"]
    return "\n".join(lines) + "\n"
