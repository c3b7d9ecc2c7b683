"""OMOP common data model."""

from __future__ import annotations

from gdsfd.first_spec.layouts.layout import Layout, TableHint

__all__ = ["OMOP"]

OMOP = Layout(
    title="OMOP common data model",
    signs=(frozenset({"person_id", "gender_concept_id", "year_of_birth"}),),
    subject="person_id",
    origin=("visit_start_datetime", "visit_start_date", "observation_period_start_date", "cohort_start_date"),
    environment=("care_site_id", "location_id", "provider_id"),
    groups=("gender_concept_id", "race_concept_id", "ethnicity_concept_id"),
    notes=(
        'With labels at hand one line stands for such a spec, too: format = "omop" under [cohort], with source (the '
        "folder or database) and labels; docs/standards.md.",
        "Codes are concept ids; the table concept says what they mean. 0 is a concept that could not be mapped.",
        "Times are counted from the start of the visit.",
    ),
    leaks={
        "death_date": "the date of death",
        "death_datetime": "the date of death",
        "visit_end_date": "the end of the visit",
        "visit_end_datetime": "the end of the visit",
        "discharge_to_concept_id": "where the patient went at the end",
        "discharged_to_concept_id": "where the patient went at the end",
        "discharge_to_source_value": "where the patient went at the end",
        "cause_concept_id": "the cause of death",
    },
    tables=(
        TableHint(
            frozenset({"measurement_concept_id", "value_as_number"}),
            kind="events",
            item="measurement_concept_id",
            value="value_as_number",
        ),
        TableHint(frozenset({"condition_concept_id"}), kind="codes", code="condition_concept_id"),
        TableHint(frozenset({"drug_concept_id"}), kind="codes", code="drug_concept_id"),
        TableHint(frozenset({"procedure_concept_id"}), kind="codes", code="procedure_concept_id"),
        TableHint(frozenset({"device_concept_id"}), kind="codes", code="device_concept_id"),
        TableHint(frozenset({"observation_concept_id"}), kind="codes", code="observation_concept_id"),
        TableHint(
            frozenset({"note_text"}), leave_out="free text; compute one vector per patient and read it as embedding"
        ),
        TableHint(frozenset({"total_charge"}), leave_out="billed after the visit"),
        TableHint(frozenset({"death_date"}), leave_out="who died and when is the outcome, or comes after it"),
    ),
)
