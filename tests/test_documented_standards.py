"""The OMOP blocks of the page on standards do not only parse: over a database that fits them they build."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from gdsfd.cohort.build import build_cohort
from gdsfd.cohort.spec import CohortSpec
from tests.cohort.formats.tiny import two_labels_each, write_tiny_omop

PAGE = Path(__file__).parents[1] / "docs" / "standards.md"
PEOPLE = list(range(60))
#: Concept -> its vocabulary, domain and class.
CONCEPTS = {
    201826: ("SNOMED", "Condition", "Disorder"),
    45576876: ("ICD10CM", "Condition", "5-char billing code"),
    44499396: ("ICDO3", "Condition", "ICDO Condition"),
    1503297: ("RxNorm", "Drug", "Ingredient"),
    40213154: ("CVX", "Drug", "CVX"),
    3004410: ("LOINC", "Measurement", "Lab Test"),
    4083587: ("SNOMED", "Observation", "Observable Entity"),
}
#: Ancestor and descendant.
LINKS = [(201820, 201826), (443392, 44499396), (21600712, 1503297), (21602723, 40213154), (3004410, 3004410)]


def documented() -> list[dict[str, Any]]:
    text = PAGE.read_text(encoding="utf-8")
    found = [tomllib.loads(block) for block in re.findall(r"^```toml\n(.*?)^```", text, re.MULTILINE | re.DOTALL)]
    return [block for block in found if block.get("cohort", {}).get("format") == "omop"]


def table_of(begin: str, start: str, concepts: tuple[int, ...], **more: Any) -> dict[str, list[Any]]:
    rows = len(concepts) * len(PEOPLE)
    return {
        "person_id": PEOPLE * len(concepts),
        f"{begin}_concept_id": [concept for concept in concepts for _ in PEOPLE],
        f"{start}_date": ["2020-01-01"] * rows,
        **{name: [value] * rows for name, value in more.items()},
    }


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the database ``cdm`` and ``labels.csv``."""
    folder = tmp_path_factory.mktemp("standards")
    measured = table_of("measurement", "measurement", (3004410,), value_as_number=5.5, unit_concept_id=8554)
    measured["measurement_type_concept_id"] = [32856, 32817] * 30
    ids, said = [*CONCEPTS], list(zip(*CONCEPTS.values()))
    above, below = zip(*LINKS)
    tables = {
        "person": {
            "person_id": PEOPLE,
            "gender_concept_id": [8507, 8532] * 30,
            "year_of_birth": [1950 + person for person in PEOPLE],
            "care_site_id": [1, 1, 2] * 20,
        },
        "measurement": measured,
        "condition_occurrence": table_of("condition", "condition_start", (201826, 44499396)),
        "drug_exposure": table_of("drug", "drug_exposure_start", (1503297, 40213154)),
        "observation": table_of("observation", "observation", (4083587,), value_as_number=1),
        "concept": dict(zip(("concept_id", "vocabulary_id", "domain_id", "concept_class_id"), (ids, *said))),
        "labels": two_labels_each(len(PEOPLE)).to_dict("list"),
        "concept_ancestor": {"ancestor_concept_id": above, "descendant_concept_id": below},
    }
    write_tiny_omop(folder / "cdm", tables)
    (folder / "cdm" / "labels.csv").rename(folder / "labels.csv")
    return folder


@pytest.mark.parametrize("block", documented()[1:])
def test_every_block_builds(place: Path, block: dict[str, Any]) -> None:
    cohort = build_cohort(CohortSpec(**block, base_dir=place), progress=False)
    names = [fields.name for fields in cohort.schema.modalities]
    if "vocabulary" in block["cohort"]:
        assert names == [*block["cohort"]["vocabulary"]]
    for fields, receipt in zip(cohort.schema.modalities, cohort.receipt.modalities):
        assert receipt.patients >= 12, fields.name


def test_the_blocks_on_groups_say_what_the_page_says(place: Path) -> None:
    by_ancestor, by_vocabulary = documented()[-2:]
    codes = {}
    for block in (by_ancestor, by_vocabulary):
        cohort = build_cohort(CohortSpec(**block, base_dir=place), progress=False)
        codes[len(codes)] = {fields.name: getattr(fields, "codes", ()) for fields in cohort.schema.modalities}
    assert codes[0] == {"diabetes": ("201826",), "cancer": ("44499396",), "antidiabetic": ("1503297",), "lab": ()}
    assert [*codes[1]] == [
        "measurement_loinc", "condition_icdo3", "condition_snomed", "drug_cvx", "drug_rxnorm", "observation_snomed",
        "age",
    ]  # fmt: skip
