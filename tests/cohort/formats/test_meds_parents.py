"""Codes of MEDS below others."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gdsfd.cohort.build import build_cohort
from gdsfd.cohort.formats.meds_parents import codes_under
from gdsfd.cohort.spec import CohortSpec
from gdsfd.errors import InputError
from tests.cohort.formats.tiny import two_labels_each, write_tiny_meds

#: DX//a and DX//b are cancers, DX//c is none; one of them by way of another code, which points back at its own parent.
PARENTS = {"DX//a": ["onco"], "onco": ["cancer", "loop"], "loop": ["onco"], "DX//b": ["cancer", "x"], "DX//c": ["x"]}
EVENTS = [(person, "2020-01-01", f"DX//{code}", None) for person in range(12) for code in "abcd"]


def written(folder: Path, parents: dict[str, list[str] | None]) -> str:
    (folder / "metadata").mkdir(parents=True, exist_ok=True)
    table = pa.table(
        {
            "code": pa.array([*parents], pa.string()),
            "parent_codes": pa.array([*parents.values()], pa.list_(pa.string())),
        }
    )
    pq.write_table(table, folder / "metadata" / "codes.parquet")
    return str(folder / "metadata" / "codes.parquet")


def test_codes_below_others_whatever_lies_between(tmp_path: Path) -> None:
    file = written(tmp_path, {**PARENTS, "DX//d": None})
    assert codes_under(["cancer"], file) == ["DX//a", "DX//b", "cancer", "loop", "onco"]
    assert codes_under(["x"], file) == ["DX//b", "DX//c", "x"]
    assert codes_under(["x", "onco"], file) == ["DX//a", "DX//b", "DX//c", "loop", "onco", "x"]


def test_rows_of_the_parents_own_code_are_of_its_group(tmp_path: Path) -> None:
    events = [*EVENTS, *((person, "2020-01-01", "cancer", None) for person in range(12))]
    folder = write_tiny_meds(tmp_path / "d", events, two_labels_each())
    written(folder, PARENTS)
    cohort = {"format": "meds", "source": ".", "labels": "labels.parquet", "vocabulary": {"x": {"parent": "cancer"}}}
    built = build_cohort(CohortSpec(cohort=cohort, base_dir=folder), progress=False)
    assert sorted(built.schema.modalities[0].codes) == ["DX//a", "DX//b", "cancer"]


def test_a_group_has_the_rows_of_the_codes_below_its_parent(tmp_path: Path) -> None:
    folder = write_tiny_meds(tmp_path / "d", EVENTS, two_labels_each())
    written(folder, PARENTS)
    vocabulary = {
        "cancer": {"parent": "cancer"},
        "other": {"parent": ["x"], "prefix": "DX//c", "kind": "codes", "static": False},
    }
    cohort = {"format": "meds", "source": ".", "labels": "labels.parquet", "vocabulary": vocabulary}
    built = build_cohort(CohortSpec(cohort=cohort, base_dir=folder), progress=False)
    assert {each.name: sorted(each.codes) for each in built.schema.modalities} == {
        "cancer": ["DX//a", "DX//b"],
        "other": ["DX//c"],
    }
    assert [receipt.rows_kept for receipt in built.receipt.modalities] == [2 * 24, 2 * 12]


def test_parents_that_cannot_be_found(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"codes.parquet is not there, and only it says"):
        codes_under(["x"], str(tmp_path / "codes.parquet"))
    file = written(tmp_path, PARENTS)
    with pytest.raises(InputError, match=r"no code has the parent 'canser'; there are 'cancer', 'loop', 'onco', 'x'"):
        codes_under(["cancer", "canser"], file)
    with pytest.raises(InputError, match="no code has any parent there"):
        codes_under(["x"], written(tmp_path / "bare", {"a": None}))
    pd.DataFrame({"code": ["a"]}).to_parquet(tmp_path / "codes.parquet")
    with pytest.raises(InputError, match="has no column 'parent_codes', so nothing is known of parents"):
        codes_under(["x"], str(tmp_path / "codes.parquet"))


def test_no_row_below_a_parent(tmp_path: Path) -> None:
    folder = write_tiny_meds(tmp_path / "d", EVENTS, two_labels_each())
    written(folder, {**PARENTS, "LAB//z": ["labs"]})
    cohort = {"format": "meds", "source": ".", "labels": "labels.parquet", "vocabulary": {"x": {"parent": "labs"}}}
    with pytest.raises(InputError, match=r"vocabulary.x: no code before the prediction times has the parent 'labs'"):
        CohortSpec(cohort=cohort, base_dir=folder)
