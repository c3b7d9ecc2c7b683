"""Modalities of OMOP by vocabulary, domain or class of a concept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from gdsfd.cohort.build import build_cohort
from gdsfd.cohort.spec import CohortSpec, load_spec
from gdsfd.errors import InputError, SpecError
from gdsfd.graph.build import build_graph
from gdsfd.simulation import simulate
from tests.cohort.formats.tiny import write_tiny_omop

PEOPLE = list(range(12)) * 4
#: Of each person one exposure to each of four concepts; CONCEPT has not the last.
DRUG = {
    "person_id": PEOPLE,
    "drug_concept_id": [11] * 12 + [12] * 12 + [13] * 12 + [99] * 12,
    "drug_exposure_start_date": ["2020-01-01"] * 48,
}
CONCEPT = {
    "concept_id": [0, 11, 12, 13],
    "vocabulary_id": ["None", "RxNorm", "RxNorm", "ATC"],
    "domain_id": ["Metadata", "Drug", "Drug", "Drug"],
    "concept_class_id": ["Undefined", "Ingredient", "Clinical Drug", "ATC 5th"],
}


def spec_of(folder: Path, concept: dict[str, Any] | None = None, **vocabulary: Any) -> CohortSpec:
    tables: dict[str, Any] = {"drug_exposure": DRUG, "concept": CONCEPT if concept is None else concept}
    write_tiny_omop(folder, {name: columns for name, columns in tables.items() if columns})
    cohort = {"format": "omop", "source": ".", "labels": "labels.csv", "vocabulary": vocabulary}
    return CohortSpec(cohort=cohort, base_dir=folder)


def test_rows_go_to_the_group_of_their_concept_and_the_receipt_counts_them(tmp_path: Path) -> None:
    groups = {
        "rxnorm": {"table": "drug_exposure", "vocabulary_id": "RxNorm"},
        "ingredient": {
            "table": "drug_exposure",
            "vocabulary_id": "RxNorm",
            "concept_class_id": ["Ingredient", "ATC 5th"],
        },
        "drug": {"table": "drug_exposure", "domain_id": "Drug"},
    }
    cohort = build_cohort(spec_of(tmp_path, **groups), progress=False)
    codes = {fields.name: sorted(fields.codes) for fields in cohort.schema.modalities}
    assert codes == {"rxnorm": ["11", "12"], "ingredient": ["11"], "drug": ["11", "12", "13"]}
    for receipt, kept in zip(cohort.receipt.modalities, (24, 12, 36)):
        # Each person is two patients, and a row counts once for each.
        assert receipt.rows_kept == 2 * kept
        assert [(drop.reason, drop.rows) for drop in receipt.drops] == [("where is not true", 2 * (48 - kept))]
        (note,) = (note for note in receipt.notes if "concept.csv" in note)
        assert note.startswith("join on 'drug_concept_id': 12 of 48 rows have a key that ")
        assert "'99'" in note


def test_the_simulated_database_says_its_groups(tmp_path: Path) -> None:
    """Its classes are the modalities, which are otherwise told by where a record comes from."""
    folder = simulate(tmp_path / "omop", patients=120, modalities=("labs", "vitals"), format="omop")
    told = build_graph(folder / "spec.toml", progress=False)
    groups = {name: {"table": "measurement", "concept_class_id": name} for name in ("labs", "vitals")}
    text = (folder / "spec.toml").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith(("labs = ", "vitals = "))]
    place = lines.index("[cohort.vocabulary]") + 1
    lines[place:place] = [f'{name} = {{table = "measurement", concept_class_id = "{name}"}}' for name in groups]
    (folder / "by_class.toml").write_text("\n".join(lines), encoding="utf-8")
    found = build_graph(folder / "by_class.toml", progress=False)
    assert found.schema == told.schema
    assert [entry.join for entry in load_spec(folder / "by_class.toml").modality] != [[], []]
    for kind in told.edge_types:
        assert found[kind].edge_index.equal(told[kind].edge_index)
    assert not any("have a key" in note for receipt in found.receipt.modalities for note in receipt.notes)


def test_concepts_that_cannot_be_looked_up(tmp_path: Path) -> None:
    group = {"table": "drug_exposure", "vocabulary_id": "RxNorm"}
    with pytest.raises(SpecError, match=r"vocabulary.x: vocabulary_id is said by OMOP's table concept, which is not"):
        spec_of(tmp_path / "a", {}, x=group)
    lacking = {name: cells for name, cells in CONCEPT.items() if name != "vocabulary_id"}
    with pytest.raises(InputError, match=r"concept.csv has no column 'vocabulary_id' \(vocabulary.x\)"):
        spec_of(tmp_path / "b", lacking, x=group)
    with pytest.raises(SpecError, match=r"vocabulary.x: an age has no concept"):
        spec_of(tmp_path / "c", x={"table": "person", "vocabulary_id": "Gender"})
    pd.DataFrame({"concept_id": [11, 12, 11]}).assign(vocabulary_id="RxNorm").to_csv(
        tmp_path / "a" / "concept.csv", index=False
    )
    cohort = {"format": "omop", "source": ".", "labels": "labels.csv", "vocabulary": {"x": group}}
    with pytest.raises(InputError, match=r"the key 'drug_concept_id' of a join must be unique, but repeats for '11'"):
        build_cohort(CohortSpec(cohort=cohort, base_dir=tmp_path / "a"), progress=False)


def test_a_group_that_no_concept_is_of_says_so(tmp_path: Path) -> None:
    group = {"table": "drug_exposure", "vocabulary_id": "ATC", "concept_class_id": "Ingredient"}
    with pytest.raises(InputError, match=r"modality 'x' .* is empty: .* where is not true"):
        build_cohort(spec_of(tmp_path, x=group), progress=False)


@pytest.mark.parametrize(("field", "values"), [("vocabulary_id", ["ATC", "rxnorm"]), ("domain_id", ["drug"])])
def test_one_of_several_that_no_concept_has_is_refused(tmp_path: Path, field: str, values: list[str]) -> None:
    """The rows of a whole vocabulary would be missing without a word."""
    with pytest.raises(SpecError, match=f"vocabulary.x: no concept in .*concept.csv has the {field} .*Did you mean"):
        spec_of(tmp_path, x={"table": "drug_exposure", field: values})
