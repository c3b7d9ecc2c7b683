"""OMOP: death in hospital from visits, persons looked up."""

from __future__ import annotations

import tomllib
from pathlib import Path

from gdsfd.first_spec.init_spec import init_spec
from gdsfd.first_spec.layouts.omop import OMOP
from tests.first_spec.layouts.public_layouts import PATIENTS, omop


def test_visits_with_death_looked_up(tmp_path: Path) -> None:
    made = init_spec(omop(tmp_path), "death_date", cohort="visit_occurrence", out=tmp_path / "spec.toml")
    assert OMOP.title in made.text
    read = tomllib.loads(made.text)
    cohort = read["cohort"]
    assert (cohort["id"], cohort["subject"]) == ("visit_occurrence_id", "person_id")
    assert cohort["environment"] == "care_site_id"
    assert set(cohort["groups"]) == {"gender_concept_id", "race_concept_id"}
    assert {join["columns"][0] for join in cohort["join"]} == {"death_date", "gender_concept_id"}
    entries = {entry["name"]: entry for entry in read["modality"]}
    assert {name: entry["kind"] for name, entry in entries.items()} == {
        "visit_occurrence": "table",
        "condition_occurrence": "codes",
        "drug_exposure": "codes",
        "measurement": "events",
    }
    assert all(entry["origin"] == "visit_start_datetime" for entry in entries.values() if entry["kind"] != "table")
    assert entries["visit_occurrence"]["columns"] == entries["visit_occurrence"]["categorical"] == ["visit_concept_id"]
    assert "visit_end_datetime: the end of the visit" in made.text
    assert made.check.cohort.rows_kept == PATIENTS
