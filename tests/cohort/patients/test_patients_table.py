"""Ids of the cohort table and of modalities meet by what they are, not by how a file stores them."""

from __future__ import annotations

from pathlib import Path

import pytest

from gdsfd.cohort.build import build_cohort
from gdsfd.cohort.patients.cohort_table import read_cohort_table
from gdsfd.cohort.patients.patients_table import patients_table
from gdsfd.cohort.sources.internal_names import ENVIRONMENT
from gdsfd.cohort.sources.sources import Sources
from gdsfd.cohort.spec.column_needs import needs_of_spec
from gdsfd.errors import InputError
from tests.cohort.small_exports import PATIENTS, labs, patients, spec


def test_integer_and_text_ids_meet(tmp_path: Path) -> None:
    numbers = patients().assign(pid=range(1000, 1000 + PATIENTS))
    numbers.to_csv(tmp_path / "patients.csv", index=False)
    labs().assign(pid=range(1000, 1000 + PATIENTS)).to_parquet(tmp_path / "labs.parquet")
    entry = {"name": "labs", "kind": "table", "source": "labs.parquet", "id": "pid"}
    for source in ("patients.csv", numbers):
        cohort = build_cohort(spec(entry, cohort={"source": source}, base_dir=tmp_path))
        assert cohort.id[:2] == ["1000", "1001"]
        assert len(cohort.observations["labs"].patient) == PATIENTS


@pytest.mark.parametrize("first", [-1000, -(1 << 63), -5, 9007199254740993, (1 << 63) - PATIENTS])
def test_negative_and_very_large_integer_ids_meet(tmp_path: Path, first: int) -> None:
    own = range(first, first + PATIENTS)
    patients().assign(pid=own).to_csv(tmp_path / "patients.csv", index=False)
    labs().assign(pid=own).to_csv(tmp_path / "labs.csv", index=False)
    for source in ("patients.csv", patients().assign(pid=own)):
        for modality in ("labs.csv", labs().assign(pid=own)):
            entry = {"name": "labs", "kind": "table", "source": modality, "id": "pid"}
            cohort = build_cohort(spec(entry, cohort={"source": source}, base_dir=tmp_path))
            assert cohort.id == [str(number) for number in own]
            assert cohort.observations["labs"].patient.tolist() == list(range(PATIENTS))


def test_an_integer_id_means_only_the_text_that_is_written_like_it() -> None:
    texts = ["-0", "+1", "02", *[str(number) for number in range(3, PATIENTS)]]
    entry = {"name": "labs", "kind": "table", "source": labs().assign(pid=range(PATIENTS)), "id": "pid"}
    with pytest.raises(InputError, match=r"spelling: '0' against '-0', '1' against '\+1', '2' against '02', 3 in all"):
        build_cohort(spec(entry, cohort={"source": patients().assign(pid=texts)}))
    cohort = build_cohort(spec({**entry, "where": "pid > 2"}, cohort={"source": patients().assign(pid=texts)}))
    assert cohort.observations["labs"].patient.tolist() == list(range(3, PATIENTS))


def test_leading_zeros_are_part_of_an_id() -> None:
    numbers = labs().assign(pid=range(PATIENTS))  # 0, 1, ...: not 000, 001, ...
    entry = {"name": "labs", "kind": "table", "source": numbers, "id": "pid"}
    with pytest.raises(InputError, match=r"differ only in their spelling: '0' against '000', .* 40 in all"):
        build_cohort(spec(entry))


def test_the_table_has_ids_as_text_and_as_number_where_they_are_one():
    names = ["7", "007", "-3", "+3", "9223372036854775808", *[f"p{number}" for number in range(5, PATIENTS)]]
    given = spec(cohort={"source": patients().assign(pid=names)})
    with Sources(given.base_dir, needs_of_spec(given)) as sources:
        rows = read_cohort_table(given, sources)
        table = patients_table(sources, rows, {"admitted": ["2150-01-01", None] * (PATIENTS // 2)})
        frame = sources.database.fetch(table.order_by("row")).to_pydict()
    assert frame["id"] == names
    assert frame["id_number"] == [7, None, -3, None, None, *[None] * (PATIENTS - 5)]
    assert frame["subject"] == patients()["person"].tolist()
    assert set(frame["subject_number"]) == {None}
    assert frame["train"] == [split == "train" for split in rows.split]
    assert set(frame[ENVIRONMENT]) == {None}
    (origin,) = frame.keys() - {"row", "id", "id_number", "subject", "subject_number", "train", ENVIRONMENT}
    assert frame[origin][:2] == ["2150-01-01", None]


def test_environments_are_numbered_in_the_order_of_their_names():
    given = spec(cohort={"source": patients(), "environment": "site"})
    with Sources(given.base_dir, needs_of_spec(given)) as sources:
        rows = read_cohort_table(given, sources)
        found = sources.database.fetch(patients_table(sources, rows, {}).order_by("row"))[ENVIRONMENT].to_pylist()
    assert found == [["north", "south"].index(name) for name in patients()["site"]]
