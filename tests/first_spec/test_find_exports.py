"""Finding the tables of an export."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from gdsfd.errors import InputError
from gdsfd.first_spec.find_exports import find_exports
from tests.first_spec.invented import warehouse


def write(folder: Path, *names: str, text: str = "id,x\n1,2\n2,3\n") -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


def test_tables_of_a_folder_and_what_is_none(tmp_path: Path) -> None:
    write(tmp_path, "stays.csv", "deep/labs.tsv", ".hidden.csv", ".git/x.csv", "data.csv.bak")
    write(tmp_path, "README.txt", "LICENSE.txt", "notes.txt", text="This export was made by us.\nNo commas.\n")
    write(tmp_path, "empty.csv", text="")
    found = find_exports([tmp_path])
    assert {place.name for place in found.places} == {"stays", "labs"}
    reasons = {Path(path).name: why for path, why in found.skipped}
    assert set(reasons) == {"README.txt", "LICENSE.txt", "notes.txt", "empty.csv", "data.csv.bak"}
    assert "empty" in reasons["empty.csv"]


def test_parts_of_one_table_are_one_glob(tmp_path: Path) -> None:
    write(tmp_path, "labs_2020.csv", "labs_2021.csv", "labs_2022.csv", "stays.csv")
    write(tmp_path, "labs_extra.csv", text="id,y\n1,2\n")
    found = {place.name: place for place in find_exports([tmp_path]).places}
    assert set(found) == {"labs", "labs_extra", "stays"}
    assert len(found["labs"].paths) == 3
    assert Path(found["labs"].written).name == "labs_[0-9]*.csv"
    frame = pd.DataFrame({"id": [1], "v": [0.5]})
    for shard in ("train/0", "train/1", "test/0"):
        (tmp_path / "events" / shard).parent.mkdir(parents=True, exist_ok=True)
        frame.to_parquet(tmp_path / "events" / f"{shard}.parquet", index=False)
    (events,) = [place for place in find_exports([tmp_path / "events"]).places]
    assert (events.name, len(events.paths), events.parquet) == ("events", 3, True)
    assert events.written.endswith("*/*.parquet")


def test_a_table_that_is_there_as_csv_and_as_parquet_is_taken_once(tmp_path: Path) -> None:
    frame = pd.DataFrame({"id": [1], "v": [0.5]})
    frame.to_csv(tmp_path / "labs.csv", index=False)
    frame.to_parquet(tmp_path / "labs.parquet", index=False)
    frame.assign(w=1).to_csv(tmp_path / "labs.csv.gz", index=False)
    found = find_exports([tmp_path])
    assert len(found.places) == 2
    assert [(Path(path).name, why) for path, why in found.skipped] == [
        ("labs.parquet", "it has the name and the columns of labs.csv")
    ]


def test_names_differ_even_where_files_do_not(tmp_path: Path) -> None:
    write(tmp_path, "a/labs.csv", text="id,x\n1,2\n")
    write(tmp_path, "b/labs.csv", text="id,y\n1,2\n")
    write(tmp_path, "lab.values.csv", text="id,z\n1,2\n")
    names = [place.name for place in find_exports([tmp_path]).places]
    assert len(set(names)) == 3
    assert not any(sign in name for name in names for sign in ".:/\\")


def test_a_database_has_its_tables(tmp_path: Path) -> None:
    file = warehouse(tmp_path).source
    found = find_exports([file]).places
    assert [place.name for place in found] == [
        "dim_analyte",
        "dim_patient",
        "fact_encounter",
        "fact_order",
        "fact_result",
    ]
    assert found[0].written == f"{file}::dim_analyte"


@pytest.mark.parametrize(("given", "words"), [("nowhere", "does not exist"), ("", "no table in")])
def test_nothing_there(tmp_path: Path, given: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        find_exports([tmp_path / given])
