"""Modalities of an OMOP database whose spec names none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gdsfd.cohort.build import build_cohort
from gdsfd.cohort.formats.omop_groups import groups_by_concept
from gdsfd.cohort.formats.request import Group
from gdsfd.cohort.spec import CohortSpec
from gdsfd.errors import InputError, SpecError
from tests.cohort.formats.tiny import write_tiny_omop

#: Of each person a drug of RxNorm, two of CVX, one that ``concept`` has not, and one only after the prediction times.
DRUG = {
    "person_id": list(range(12)) * 5 + [0],
    "drug_concept_id": [11] * 12 + [21] * 12 + [22] * 12 + [99] * 12 + [31] * 12 + [41],
    "drug_exposure_start_date": ["2020-01-01"] * 48 + ["2020-02-01"] * 12 + ["2020-01-01"],
}
VISIT = {"person_id": list(range(12)), "visit_concept_id": [9201] * 12, "visit_start_date": ["2020-01-01"] * 12}
CONCEPT = {
    "concept_id": [11, 21, 22, 31, 41, 9201],
    "vocabulary_id": ["RxNorm", "CVX", "CVX", "ATC", "NDC", "Visit"],
    "domain_id": ["Drug"] * 5 + ["Visit"],
    "concept_class_id": ["Ingredient", "CVX", "CVX", "ATC 5th", "11-digit NDC", "Visit"],
}


def spec_of(folder: Path, **cohort: Any) -> CohortSpec:
    people = {"person_id": list(range(12)), "year_of_birth": [1950 + k for k in range(12)]}
    write_tiny_omop(folder, {"person": people, "drug_exposure": DRUG, "visit_occurrence": VISIT, "concept": CONCEPT})
    return CohortSpec(cohort={"format": "omop", "source": ".", "labels": "labels.csv", **cohort}, base_dir=folder)


def test_each_vocabulary_of_a_table_is_a_modality_and_no_row_is_lost(tmp_path: Path) -> None:
    whole = build_cohort(spec_of(tmp_path / "a"), progress=False)
    assert [fields.name for fields in whole.schema.modalities] == ["drug", "visit", "age"]
    cohort = build_cohort(spec_of(tmp_path / "b", modality_by="vocabulary_id"), progress=False)
    codes = {fields.name: sorted(getattr(fields, "codes", ())) for fields in cohort.schema.modalities}
    assert codes == {
        "drug_cvx": ["21", "22"], "drug_rxnorm": ["11"], "drug_other": ["99"], "visit": ["9201"], "age": [],
    }  # fmt: skip
    kept = {receipt.name: receipt.rows_kept for receipt in cohort.receipt.modalities}
    rows = sum(kept[name] for name in ("drug_cvx", "drug_rxnorm", "drug_other"))
    assert rows == whole.receipt.modalities[0].rows_kept - 2  # those of the one person with a drug of NDC
    assert cohort.receipt.cohort.notes == [
        "left out: drug_exposure, vocabulary_id 'NDC': 2 rows before the prediction times are too few"
    ]
    assert (cohort.observations["age"].summary == whole.observations["age"].summary).all()


def test_domains_and_classes_likewise_and_a_name_is_not_said_twice(tmp_path: Path) -> None:
    names = {}
    for field in ("domain_id", "concept_class_id"):
        spec = spec_of(tmp_path / field, modality_by=field)
        names[field] = [modality.name for modality in spec.modality]
    assert names == {
        "domain_id": ["drug", "drug_other", "visit", "age"],
        "concept_class_id": ["drug_cvx", "drug_ingredient", "drug_other", "visit", "age"],
    }


def test_what_it_does_can_be_written_by_hand(tmp_path: Path) -> None:
    by_itself = spec_of(tmp_path / "a", modality_by="vocabulary_id")
    by_hand = {
        "drug_cvx": {"table": "drug_exposure", "vocabulary_id": "CVX"},
        "drug_rxnorm": {"table": "drug_exposure", "vocabulary_id": "RxNorm"},
        "drug_other": {"table": "drug_exposure", "vocabulary_id": ""},
        "visit": {"table": "visit_occurrence", "vocabulary_id": "Visit"},
        "age": {"table": "person", "kind": "age"},
    }
    assert spec_of(tmp_path / "b", vocabulary=by_hand).to_dict() == by_itself.to_dict()


def test_only_rows_in_the_window_make_a_modality(tmp_path: Path) -> None:
    # Labels are at noon of 2 and 4 January, the drugs of 1 January at the end of that day.
    with pytest.raises(InputError, match=r"modality_by = 'vocabulary_id': no vocabulary_id has 10 rows before"):
        groups_by_concept("vocabulary_id", {"drug": Group(table="drug_exposure")}, {"drug": {}}, [])
    spec = spec_of(tmp_path, modality_by="vocabulary_id", window=[-600, 0])
    assert [modality.name for modality in spec.modality] == ["age"]
    assert spec.told_of() == [
        "left out: drug_exposure: no rows before the prediction times",
        "left out: visit_occurrence: no rows before the prediction times",
    ]


def test_a_table_whose_concepts_nobody_knows_stays_one_modality(tmp_path: Path) -> None:
    local = {**VISIT, "visit_concept_id": [2_000_000_001] * 12}
    write_tiny_omop(tmp_path, {"drug_exposure": DRUG, "visit_occurrence": local, "concept": CONCEPT})
    cohort = {"format": "omop", "source": ".", "labels": "labels.csv", "modality_by": "vocabulary_id"}
    built = build_cohort(CohortSpec(cohort=cohort, base_dir=tmp_path), progress=False)
    codes = {fields.name: fields.codes for fields in built.schema.modalities}
    assert codes["visit_other"] == ("2000000001",)


def test_what_cannot_be_divided(tmp_path: Path) -> None:
    found = {"drug": {f"v{number}": 20 for number in range(61)}}
    with pytest.raises(InputError, match=r"61 modalities .* are too many; name those that you want under .cohort.voc"):
        groups_by_concept("vocabulary_id", {"drug": Group(table="drug_exposure")}, found, [])
    with pytest.raises(SpecError, match="modality_by and vocabulary both say what becomes a modality"):
        spec_of(tmp_path / "a", modality_by="domain_id", vocabulary={"drug": "drug_exposure"})
    with pytest.raises(SpecError, match=r"modality_by: Input should be 'vocabulary_id', 'domain_id' or 'concept_class"):
        spec_of(tmp_path / "b", modality_by="vocabulary")
    (tmp_path / "b" / "concept.csv").unlink()
    cohort = {"format": "omop", "source": ".", "labels": "labels.csv", "modality_by": "domain_id"}
    with pytest.raises(SpecError, match="domain_id is said by OMOP's table concept, which is not there"):
        CohortSpec(cohort=cohort, base_dir=tmp_path / "b")
    meds = {"format": "meds", "source": ".", "labels": "labels.csv", "modality_by": "domain_id"}
    with pytest.raises(SpecError, match="of MEDS each beginning of codes before '//' is a modality already"):
        CohortSpec(cohort=meds, base_dir=tmp_path / "b")
