"""Columns read a few at a time, whatever they store, are what pandas reads; missing values mean the same everywhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gdsfd.cohort.build import build_cohort
from gdsfd.cohort.cohort import TableObservations
from gdsfd.cohort.columns import wide_rows as module
from gdsfd.cohort.columns.wide_rows import WideRows, wide_rows
from gdsfd.cohort.patients.cohort_table import read_cohort_table
from gdsfd.cohort.sources.sources import Sources
from gdsfd.cohort.sources.values import is_declared_missing
from gdsfd.cohort.spec import TableSpec
from tests.cohort.small_exports import PATIENTS, patients, spec

IDS = patients().pid.tolist()
#: Columns of every type, of ten patients in the opposite order, and of one who is not in the cohort.
FRAME = pd.DataFrame(
    {
        "pid": [*reversed(IDS[:10]), "stranger"],
        "text": ["-1", "-1.0", " x ", "x", "NaN", "inf", "true", None, "1_000", "7", "x"],
        "float": [-1.0, 1.5, np.nan, np.inf, 3.0, -9.0, 0.0, 1e300, 2.0**60, 7.0, 1.0],
        "whole": [-1, 7, 3, 0, -9, 1, 2, 4, 5, 6, 7],
        "truth": [True, False, None, True, False, True, False, True, False, None, True],
        "when": [*pd.to_datetime(["2150-01-01", None]), *pd.to_datetime(["2150-01-02 03:04"] * 9)],
        "list": [[1.0], None, [], *[[2.0, 3.0]] * 8],
    }
)
MISSING: list[list[Any]] = [[-1], ["x"], ["NaN"], ["inf", -9], [-1, "x", "true"], ["2150-01-01 00:00:00", 7], [0]]


@pytest.fixture(scope="module")
def rows() -> Iterator[WideRows]:
    entry = TableSpec(name="m", source=FRAME, id="pid")
    whole = spec(entry)
    with Sources(Path()) as sources:
        cohort = read_cohort_table(whole, sources)
        yield wide_rows(entry, sources.open(FRAME, "modality 'm'"), cohort, sources)


def test_rows_are_in_the_order_of_patients_and_know_their_place(rows: WideRows) -> None:
    assert len(rows) == 10
    assert rows.patient.tolist() == list(range(10))
    assert rows.position.tolist() == list(reversed(range(10)))
    assert [rows.owner(row) for row in (0, 9)] == ["000", "009"]


def test_cells_are_those_of_the_frame(rows: WideRows) -> None:
    cells = {one.name: one for one in rows.cells(["text", "float", "whole", "truth", "when", "list"])}
    backwards = FRAME[:10][::-1]
    for name in ("text", "float", "whole", "truth", "when"):
        assert cells[name].filled.tolist() == backwards[name].notna().tolist(), name
    assert cells["list"].filled.tolist() == [value is not None for value in backwards["list"]]
    assert {name: one.kind for name, one in cells.items()} == {
        **{"text": "text", "float": "number", "whole": "number", "truth": "number", "when": "time", "list": "nested"}
    }
    assert cells["text"].text().tolist() == ["7", "1_000", None, "true", "inf", "NaN", "x", "x", "-1.0", "-1"]
    nan = float("nan")
    np.testing.assert_array_equal(cells["text"].number, [7, nan, nan, 1, nan, nan, nan, nan, -1, -1])
    expected = backwards.float.replace(np.inf, nan).to_numpy(float)
    np.testing.assert_array_equal(cells["float"].number, expected)
    np.testing.assert_array_equal(cells["whole"].number, backwards.whole)
    np.testing.assert_array_equal(cells["truth"].number, backwards.truth.astype(float))
    assert np.isnan(cells["when"].number).all()


def test_whole_floats_are_texts_without_a_point(rows: WideRows) -> None:
    (cells,) = rows.cells(["float"], as_text=["float"])
    assert cells.raw is not None
    shown = cells.raw.to_pylist()
    assert shown[0] == "7"
    assert shown[5] == "3"
    assert shown[8:] == ["1.5", "-1"]


@pytest.mark.parametrize("missing", MISSING, ids=repr)
@pytest.mark.parametrize("column", ["text", "float", "whole", "truth", "when"])
def test_missing_values_are_the_same_cells_in_numpy_in_sql_and_in_ibis(
    rows: WideRows, column: str, missing: list[Any]
) -> None:
    """Tables, wide events and long events each ask in their own way."""
    (cells,) = rows.cells([column], missing)
    in_sql = rows.fetch([column], f"{rows.is_missing(column, missing)} AS gone")["gone"].to_pylist()
    assert [bool(value) for value in in_sql] == (cells.filled & ~cells.measured).tolist()
    table = rows.rows.view.narrow(["pid", column]).table
    asked = table.select(pid=table.pid, gone=is_declared_missing(table[column], missing)).to_pyarrow().to_pylist()
    in_ibis = {each["pid"]: each["gone"] for each in asked}
    assert [in_ibis[own] for own in IDS[:10]] == (cells.filled & ~cells.measured).tolist()


def test_long_texts_stay_different_but_short(rows: WideRows) -> None:
    long = "x" * 300
    query = f"SELECT {module._bounded('c')} FROM (VALUES ('{long}a'), ('{long}b'), ('short'), ('{'y' * 256}')) t(c)"
    first, second, short, just = [each for (each,) in rows.rows.database.rows(query)]
    assert first != second
    assert len(first) == len(second) < 150
    assert (short, just) == ("short", "y" * 256)


def test_dates_and_times_of_day_in_text(rows: WideRows) -> None:
    frame = pd.DataFrame({"pid": IDS[:7], "t": ["2150-01-02", "26:30", "1:02:03", "2150-13-02", "12", "a-b", None]})
    entry = TableSpec(name="m", source=frame, id="pid")
    with Sources(Path()) as sources:
        cohort = read_cohort_table(spec(entry), sources)
        read = wide_rows(entry, sources.open(frame, "modality 'm'"), cohort, sources)
        assert read.holds_times(["t"])["t"].tolist() == [True, True, True, False, False, False, False]


def test_dropped_rows_are_accounted_for_with_some_ids() -> None:
    frame = FRAME[["pid", "whole"]]
    entry = TableSpec(name="m", source=frame, id="pid")
    with Sources(Path()) as sources:
        cohort = read_cohort_table(spec(entry), sources)
        read = wide_rows(entry, sources.open(frame, "modality 'm'"), cohort, sources)
        before = read.rows.kept
        read.drop_where(np.zeros(10, bool), "nobody")
        read.drop_where(np.arange(10) > 2, "late")
        drop = read.rows.drops[-1]
        assert (drop.reason, drop.rows, drop.examples, drop.names_patients) == ("late", 7, IDS[3:8], True)
        assert read.rows.kept == before - 7
        assert "nobody" not in [each.reason for each in read.rows.drops]


def test_any_number_of_columns_against_pandas() -> None:
    random = np.random.default_rng(0)
    frame = pd.DataFrame(random.integers(0, 3, (PATIENTS, 700)), columns=[f"g{k}" for k in range(700)]).astype(object)
    frame = frame.mask(random.random(frame.shape) < 0.1)
    frame["g650"] = np.array(["a", "b"])[np.arange(PATIENTS) % 2]
    frame = frame.assign(pid=IDS).sample(frac=1, random_state=0)
    cohort = build_cohort(spec({"name": "m", "kind": "table", "source": frame, "id": "pid", "min_level_count": 1}))
    observed = cohort.observations["m"]
    assert isinstance(observed, TableObservations)
    expected = frame.set_index("pid").loc[cohort.id]
    names = [f"g{k}" for k in range(700) if k != 650]
    assert cohort.schema.modalities[0].numeric == tuple(names)
    np.testing.assert_array_equal(observed.numeric, expected[names].to_numpy(np.float32))
    levels = np.array(cohort.schema.modalities[0].levels[0])
    assert (levels[observed.categorical[:, 0] - 2] == expected.g650.to_numpy()).all()
