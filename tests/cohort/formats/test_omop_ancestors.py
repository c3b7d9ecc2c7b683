"""Modalities of OMOP by what their concepts are below."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest

from gdsfd.cohort.build import build_cohort
from gdsfd.cohort.formats.omop_ancestors import Wanted, concepts_below, one_of
from gdsfd.cohort.spec import CohortSpec
from gdsfd.cohort.spec.row_expression import row_expression
from gdsfd.cohort.spec_check import check_spec
from gdsfd.errors import InputError, SpecError
from tests.cohort.formats.tiny import write_tiny_omop

#: Of each person one diagnosis of each of five concepts; 99 is in no hierarchy, and 0 could not be mapped.
CONCEPTS = (11, 12, 13, 99, 0)
CONDITION = {
    "person_id": list(range(12)) * 5,
    "condition_concept_id": [concept for concept in CONCEPTS for _ in range(12)],
    "condition_start_date": ["2020-01-01"] * 60,
}
#: 1 is above 11 and, by two ways, 12; 2 is above 12 and 13; every concept is an ancestor of its own.
ANCESTOR = {
    "ancestor_concept_id": [1, 1, 1, 2, 2, 2, 11, 12, 13, 1, 3, 3],
    "descendant_concept_id": [1, 11, 12, 2, 12, 13, 11, 12, 13, 12, 3, 88],
    "min_levels_of_separation": [0, 1, 1, 0, 1, 1, 0, 0, 0, 2, 0, 1],
}


def spec_of(folder: Path, ancestor: dict[str, Any] | None = None, **vocabulary: Any) -> CohortSpec:
    tables: dict[str, Any] = {"condition_occurrence": CONDITION, "CONCEPT_ANCESTOR": ancestor or ANCESTOR}
    write_tiny_omop(folder, tables)
    cohort = {"format": "omop", "source": ".", "labels": "labels.csv", "vocabulary": vocabulary}
    return CohortSpec(cohort=cohort, base_dir=folder)


def group(*ancestors: Any, **more: Any) -> dict[str, Any]:
    return {"table": "condition_occurrence", "ancestor": list(ancestors), **more}


def test_rows_below_a_concept_are_a_modality_and_the_receipt_counts_them(tmp_path: Path) -> None:
    groups = {
        "one": {"table": "condition_occurrence", "ancestor": 1},
        "both": group(1, 2),
        "leaf": group(13),
        "some": group(2, where="condition_concept_id <> 12"),
    }
    cohort = build_cohort(spec_of(tmp_path, **groups), progress=False)
    codes = {fields.name: sorted(fields.codes) for fields in cohort.schema.modalities}
    assert codes == {"one": ["11", "12"], "both": ["11", "12", "13"], "leaf": ["13"], "some": ["13"]}
    for receipt, kept in zip(cohort.receipt.modalities, (24, 36, 12, 12)):
        # Each person is two patients, and a row counts once for each.
        assert receipt.rows_kept == 2 * kept
        assert [(drop.reason, drop.rows) for drop in receipt.drops] == [("where is not true", 2 * (60 - kept))]
        assert receipt.notes[-1] == (
            "12 of 48 rows have a concept that CONCEPT_ANCESTOR.csv has not (99): they are below no ancestor"
        )
    assert [receipt.notes[-2] for receipt in cohort.receipt.modalities[:2]] == [
        "ancestor 1: 2 of the 4 concepts of condition_occurrence.csv are below it by CONCEPT_ANCESTOR.csv",
        "ancestor 1, 2: 3 of the 4 concepts of condition_occurrence.csv are below them by CONCEPT_ANCESTOR.csv",
    ]


@pytest.mark.parametrize("form", ["downloaded", "duckdb", "sqlite"])
def test_the_form_of_the_table_does_not_matter(tmp_path: Path, form: str) -> None:
    """As downloaded, tabs stand between its cells."""
    write_tiny_omop(tmp_path, {"condition_occurrence": CONDITION})
    links, condition = pd.DataFrame(ANCESTOR), pd.DataFrame(CONDITION)
    person, source = pd.read_csv(tmp_path / "person.csv"), "."
    if form == "downloaded":
        links.to_csv(tmp_path / "CONCEPT_ANCESTOR.csv", sep="\t", index=False)
    else:
        source = f"cdm.{form}"
        tables = {"concept_ancestor": links, "condition_occurrence": condition, "person": person}
        if form == "sqlite":
            with closing(sqlite3.connect(tmp_path / source)) as connection:
                for name, frame in tables.items():
                    frame.to_sql(name, connection, index=False)
        else:
            with duckdb.connect(str(tmp_path / source)) as database:
                for name, frame in tables.items():
                    database.register("frame", frame)
                    database.execute(f"CREATE TABLE {name} AS SELECT * FROM frame")
    cohort = {"format": "omop", "source": source, "labels": "labels.csv", "vocabulary": {"x": group(1)}}
    built = build_cohort(CohortSpec(cohort=cohort, base_dir=tmp_path), progress=False)
    assert built.schema.modalities[0].codes == ("11", "12")


def test_a_concept_is_below_itself_also_where_the_table_does_not_say_so(tmp_path: Path) -> None:
    links = pd.DataFrame(ANCESTOR)
    links = links[links["ancestor_concept_id"] != links["descendant_concept_id"]]
    links = pd.concat([links, pd.DataFrame({"ancestor_concept_id": [11], "descendant_concept_id": [77]})])
    cohort = build_cohort(spec_of(tmp_path, links.to_dict("list"), x=group(11)), progress=False)
    assert cohort.schema.modalities[0].codes == ("11",)


def test_a_long_list_of_concepts_is_halved_and_says_the_same() -> None:
    concepts = sorted({(7 * number * number) % 5003 for number in range(1, 1500)})
    text = one_of("x", concepts)
    assert text.startswith("CASE WHEN x < ")
    assert max(part.count(",") for part in text.split("IN (")) < 64
    row_expression(text)
    with duckdb.connect() as connection:
        found = connection.execute(f"SELECT x FROM range(-3, 5010) t(x) WHERE {text} ORDER BY x").fetchall()
        nothing = connection.execute(f"SELECT {text} FROM (SELECT NULL::BIGINT AS x)").fetchone()
    assert [row[0] for row in found] == concepts
    assert nothing == (None,)


def test_the_check_shows_how_rows_were_chosen(tmp_path: Path) -> None:
    spec_of(tmp_path, x=group(1))
    text = '[cohort]\nformat = "omop"\nsource = "."\nlabels = "labels.csv"\n[cohort.vocabulary]\n'
    (tmp_path / "spec.toml").write_text(text + 'x = {table = "condition_occurrence", ancestor = 1}\n')
    found = check_spec(tmp_path / "spec.toml")
    assert found.ok
    assert found.stands_for["modality"][0]["where"] == "condition_concept_id <> 0 AND condition_concept_id IN (11, 12)"
    assert found.chosen["x"][0].startswith("ancestor 1: 2 of the 4 concepts")


def test_ancestors_that_cannot_be_found(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"vocabulary.x: concept_ancestor.csv has no row with the ancestor 4, 5. Is it"):
        concepts_below(*_asked(tmp_path / "a", [4, 1, 5]))
    with pytest.raises(
        InputError, match=r"no concept of condition_occurrence.csv is 3 or below; its most .* are 11, 12"
    ):
        concepts_below(*_asked(tmp_path / "b", [3]))
    with pytest.raises(InputError, match=r"concept_ancestor.csv has no column 'ancestor_concept_id' \(vocabulary.x\)"):
        concepts_below(*_asked(tmp_path / "c", [1], {"ancestor": [1], "descendant_concept_id": [11]}))
    write_tiny_omop(tmp_path / "d", {"condition_occurrence": CONDITION})
    cohort = {"format": "omop", "source": ".", "labels": "labels.csv", "vocabulary": {"x": group(1)}}
    with pytest.raises(SpecError, match=r"vocabulary.x: what is below a concept is said by OMOP's table concept_ances"):
        CohortSpec(cohort=cohort, base_dir=tmp_path / "d")
    for wrong in ("SNOMED", 0, True, 4.0e6, 2**40):
        with pytest.raises(SpecError, match=r"ancestor.*: expected the id of a concept, a whole number such as 40000"):
            spec_of(tmp_path / "e", x=group(wrong))
    with pytest.raises(SpecError, match=r"vocabulary.x: an age has no concept"):
        spec_of(tmp_path / "f", x={"table": "person", "ancestor": 1})


def _asked(folder: Path, ancestors: list[int], links: dict[str, Any] | None = None) -> tuple[Any, ...]:
    write_tiny_omop(folder, {"condition_occurrence": CONDITION, "concept_ancestor": links or ANCESTOR})
    tables = {"concept_ancestor": "concept_ancestor.csv"}
    return {"x": Wanted("condition_occurrence.csv", "condition_concept_id", ancestors)}, tables, folder
