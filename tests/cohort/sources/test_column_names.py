from __future__ import annotations

from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gdsfd.cohort.sources.column_names import BLANKS, checked_names
from gdsfd.cohort.sources.internal_names import KEEP, ROW
from gdsfd.cohort.sources.sources import Sources
from gdsfd.errors import InputError


def test_blanks_around_names_are_taken_off() -> None:
    assert checked_names(["\ufeffid", "\xa0heart rate\u200b", "\t"], "a.csv") == ("id", "heart rate", "column0")
    assert all(not character.isprintable() or character == " " for character in BLANKS)


WRONG = [
    (["id", "Hr", "hr"], r"column names must differ \(upper and lower case count as equal\), got 'Hr', 'hr' more than"),
    (["id", "hr", "hr"], r"column names must differ .* got 'hr' more than once; rename them"),
    (["id", "hr", " hr"], r"got 'hr' more than once"),
    (["id", "", " "], r"columns 2, 3 of the header have no name"),
    (["id", "x" * 1001], r"a column is called 'xxx.*…' \(1,001 characters\); expected at most 1,000"),
]


@pytest.mark.parametrize(("names", "message"), WRONG)
@pytest.mark.parametrize("how", ["csv", "frame", "arrow", "parquet", "in order"])
def test_names_that_cannot_be_told_apart_are_refused_in_every_source(
    names: list[str], message: str, how: str, tmp_path: Any
) -> None:
    """DuckDB would rename them without a word (hr, hr_1)."""
    table = pa.table([pa.array(["1", "2"])] * len(names), names=names)
    source: Any = {"frame": pd.DataFrame([["1"] * len(names)], columns=names), "arrow": table}.get(how)
    if how == "csv":
        (tmp_path / "a.csv").write_text(",".join(names) + "\n" + ",".join("1" for _ in names) + "\n")
        source = "a.csv"
    elif source is None:
        pq.write_table(table, tmp_path / "a.parquet")
        source = "a.parquet"
    with Sources(tmp_path) as sources, pytest.raises(InputError, match=message):
        sources.open(source, "modality 'm'", in_order=how == "in order")


@pytest.mark.parametrize("how", ["frame", "arrow", "parquet", "in order"])
def test_names_of_tables_are_trimmed_as_those_of_csv_files(how: str, tmp_path: Any) -> None:
    table = pa.table({"pid\xa0": ["1", "2"], " hr": [1.5, 2.5], "": [7, 8]})
    source: Any = {"frame": table.to_pandas(), "arrow": table}.get(how)
    if source is None:
        pq.write_table(table, tmp_path / "a.parquet")
        source = "a.parquet"
    with Sources(tmp_path) as sources:
        view = sources.open(source, "modality 'm'", where="hr > 2", in_order=how == "in order")
        assert view.columns == ("pid", "hr", "column0")
        found = sources.database.fetch(view.table.order_by(ROW)).to_pylist()
    assert [(row["pid"], row["hr"], row["column0"], row[KEEP]) for row in found] == [
        ("1", 1.5, 7, False),
        ("2", 2.5, 8, True),
    ]
