"""What a message says to derive gives the numbers that stand in the cells, or is not said."""

from __future__ import annotations

import tomllib

import duckdb
import pandas as pd
import pytest

import gdsfd
from gdsfd.cohort.columns.derived_number import value_of, way_to_derive
from tests.cohort.columns.test_number_lookalikes import CATEGORIES, DECORATED

READ = [
    (["8,4", "12,1", "7"], [8.4, 12.1, 7]),
    (["8,4", "7.1"], [8.4, 7.1]),
    (["1,200", "2,400.5"], [1200, 2400.5]),
    (["1'200"], [1200]),
    (["1'200,5", "936"], [1200.5, 936]),
    (["1 200,5", "936,25"], [1200.5, 936.25]),
    (["1\u202f200,5"], [1200.5]),
    (["1.032,0", "936"], [1032, 936]),
    (["1.032,50", "1.048", "8,4"], [1032.5, 1048, 8.4]),
    (["8,4", "1.048"], [8.4, 1048]),
    (["1.234.567", "12"], [1234567, 12]),
    (["1,200", "NA"], [1200, None]),
    (["1.032,0", "NA", "936"], [1032, None, 936]),
    (["7.4 mg/L", "12 mg/L"], [7.4, 12]),
    (["7,4 mg/L"], [7.4]),
    (["1,200 mg", "936 mg"], [1200, 936]),
    (["1.200,5 mg"], [1200.5]),
    ([".5 mg", "12 mg"], [0.5, 12]),
    (["1.5e3 mg"], [1500]),
    (["<0.01", "0.5"], [0.01, 0.5]),
    (["€5"], [5]),
    (["-7.4 H"], [-7.4]),
    (["\u22127.4", "2"], [-7.4, 2]),
    (["4.5 x10^9/L", "6 x10^9/L"], [4.5, 6]),
    ([f"{100 + k}/80" for k in range(12)], [100 + k for k in range(12)]),
]
#: What is not surely understood, or what no expression at hand reads: none is told.
NOT_TOLD = [
    ["(5)", "7"],
    ["5-", "7"],
    ["1.2 x10^3/uL", "4.5 x10^4/uL"],
    ["1e400"],
    ["7.4 mg", "0-10"],
    ["ward 3"],
]


def _said(column: str, cells: list[str]) -> str:
    line = way_to_derive(column, cells)
    return tomllib.loads(line)["derive"][column] if line else ""


def _read(sql: str, cells: list[str]) -> list[float | None]:
    rows = duckdb.execute(f"SELECT {sql} FROM (SELECT unnest(?::VARCHAR[]) AS crp)", [cells]).fetchall()
    return [row[0] for row in rows]


@pytest.mark.parametrize(("cells", "numbers"), READ)
def test_what_is_told_reads_the_numbers(cells: list[str], numbers: list[float | None]) -> None:
    assert _read(_said("crp", cells), cells) == pytest.approx(numbers)
    assert '"heart rate"' in _said("heart rate", cells)


@pytest.mark.parametrize("cells", NOT_TOLD)
def test_nothing_is_told_that_would_read_other_numbers(cells: list[str]) -> None:
    assert way_to_derive("crp", cells) == ""


@pytest.mark.parametrize("text", DECORATED)
def test_of_every_decoration_the_number_that_stands_there_or_nothing(text: str) -> None:
    sql = _said("crp", [text, "2.5"])
    assert not sql or _read(sql, [text, "2.5"])[0] is not None


@pytest.mark.parametrize("text", CATEGORIES)
def test_names_of_categories_say_no_number(text: str) -> None:
    assert value_of(text) is None or any(sign in text for sign in ",.")


def test_following_a_message_gives_the_values_of_the_export() -> None:
    patients = 60
    values = [900.5 + 7 * k for k in range(patients)]
    written = [f"{value:,.2f}".replace(",", "_").replace(".", ",").replace("_", ".") for value in values]
    frame = pd.DataFrame({"id": range(patients), "died": [k % 2 for k in range(patients)]})
    for kind in ("table", "events"):
        rows = pd.DataFrame({"id": range(patients), "crp": written, "minute": 5, "item": "crp"})
        fields = {
            "table": {"columns": ["crp"]},
            "events": {"item": "item", "value": "crp", "time": "minute", "min_count": 1},
        }[kind]
        entry = {"name": "labs", "kind": kind, "source": rows, "id": "id", **fields}
        spec = {
            "cohort": {"source": frame, "id": "id"},
            "outcome": {"name": "died", "column": "died", "positive": 1, "negative": 0},
        }
        with pytest.raises(gdsfd.InputError) as caught:
            gdsfd.build_graph(gdsfd.CohortSpec(**spec, modality=[entry]))
        line = 'derive = {crp = "' + str(caught.value).split('derive = {crp = "')[1].split('"}')[0] + '"}'
        entry["derive"] = tomllib.loads(line)["derive"]
        store = gdsfd.build_graph(gdsfd.CohortSpec(**spec, modality=[entry]))["patient", "labs", "modality"]
        read = store.numeric[:, 0] if kind == "table" else store.value
        assert read.tolist() == pytest.approx(values, rel=1e-6)
