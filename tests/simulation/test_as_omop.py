from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from gdsfd.graph.build import build_graph
from gdsfd.simulation import simulate
from gdsfd.simulation.as_omop import FIRST_ANCESTOR, FIRST_CONCEPT

#: Columns that the common data model 5.4 requires, of what the simulation can say.
REQUIRED = {
    "person": {"person_id", "gender_concept_id", "year_of_birth", "race_concept_id", "ethnicity_concept_id"},
    "visit_occurrence": {
        *("visit_occurrence_id", "person_id", "visit_concept_id", "visit_start_date", "visit_end_date"),
        "visit_type_concept_id",
    },
    "measurement": {
        *("measurement_id", "person_id", "measurement_concept_id", "measurement_date", "measurement_type_concept_id"),
    },
    "condition_occurrence": {
        *("condition_occurrence_id", "person_id", "condition_concept_id", "condition_start_date"),
        "condition_type_concept_id",
    },
    "drug_exposure": {
        *("drug_exposure_id", "person_id", "drug_concept_id", "drug_exposure_start_date", "drug_type_concept_id"),
    },
    "death": {"person_id", "death_date"},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    names = ("labs", "vitals", "history", "medications", "imaging")
    return simulate(tmp_path_factory.mktemp("omop") / "omop", patients=120, modalities=names, format="omop")


def test_tables_have_the_columns_that_omop_requires(folder: Path) -> None:
    for table, columns in REQUIRED.items():
        assert columns <= set(pd.read_csv(folder / f"{table}.csv", nrows=5).columns), table


def test_every_row_is_of_a_known_person_and_concept(folder: Path) -> None:
    people = set(pd.read_csv(folder / "person.csv")["person_id"])
    concept = pd.read_csv(folder / "concept.csv").set_index("concept_id")
    assert concept.index.min() == FIRST_CONCEPT
    for table, begin in (
        ("measurement", "measurement"),
        ("condition_occurrence", "condition"),
        ("drug_exposure", "drug"),
    ):
        rows = pd.read_csv(folder / f"{table}.csv")
        assert set(rows["person_id"]) <= people
        named = concept.loc[rows[f"{begin}_concept_id"], "concept_name"]
        assert named.tolist() == rows[f"{begin}_source_value"].tolist()


def test_concepts_are_below_that_of_their_modality(folder: Path) -> None:
    concept = pd.read_csv(folder / "concept.csv").set_index("concept_id")
    links = pd.read_csv(folder / "concept_ancestor.csv")
    below = links[links["ancestor_concept_id"] == FIRST_ANCESTOR + 1]["descendant_concept_id"]
    vitals = concept.index[concept["concept_class_id"] == "vitals"]
    assert sorted(below) == sorted([*vitals, FIRST_ANCESTOR + 1])
    assert set(concept.index) <= set(links["descendant_concept_id"])


def test_its_spec_builds(folder: Path) -> None:
    graph = build_graph(folder / "spec.toml", progress=False)
    assert [fields.name for fields in graph.schema.modalities] == ["labs", "vitals", "history", "medications"]
    assert graph.schema.environment == "care_site_id"
    labelled = pd.read_csv(folder / "labels.csv")["boolean_value"].notna()
    assert graph["patient"].y.isnan().logical_not().sum() == labelled.sum() < len(labelled)
