from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gdsfd.cohort.build import build_cohort
from gdsfd.cohort.cohort import Cohort, TableObservations
from gdsfd.cohort.schema import LEVEL_MISSING, LEVEL_UNSEEN, ModalityFields
from gdsfd.errors import InputError, SchemaError
from tests.cohort.small_exports import PATIENTS, labs, patients, spec

IDS = [f"{k:03d}" for k in range(PATIENTS)]


def built(frame: pd.DataFrame, **fields: Any) -> tuple[Cohort, TableObservations, ModalityFields, list[str]]:
    entry = {"name": "m", "kind": "table", "source": frame, "id": "pid", "min_level_count": 1, **fields}
    cohort = build_cohort(spec(entry))
    observed = cohort.observations["m"]
    assert isinstance(observed, TableObservations)
    return cohort, observed, cohort.schema.modalities[0], cohort.receipt.modalities[0].notes


def column(values: list[Any], **fields: Any) -> tuple[Cohort, TableObservations, ModalityFields, list[str]]:
    return built(pd.DataFrame({"pid": IDS[: len(values)], "x": values}), **{"columns": ["x"], **fields})


def test_a_count_of_levels_where_no_column_has_levels_is_told() -> None:
    assert column([1.5, 2.5] * 10, min_level_count=3)[3] == [
        "min_level_count = 3 says nothing here: no column has levels"
    ]
    assert column([1.5, 2.5] * 10, min_level_count=5)[3] == []  # the default
    assert column(["a", "b"] * 10, min_level_count=3)[3] == []


def test_truth_values_among_other_numbers_are_refused() -> None:
    numbers = [f"{20 + k / 4}" for k in range(PATIENTS - 2)]
    message = (
        r"column 'x' of .* has 2 truth values among numbers such as 20.0: 'TRUE' \(id 000\), 'False' \(id 001\)\. They"
    )
    for fields in ({}, {"numeric": ["x"]}, {"invalid": "missing"}):
        with pytest.raises(InputError, match=message):
            column(["TRUE", "False", *numbers], **fields)
    _, observed, _, _ = column(["TRUE", "False", *numbers], missing=["TRUE", "False"])
    assert len(observed.patient) == PATIENTS - 2
    _, observed, _, _ = column(["TRUE", "False", "1", "0"] * 10)
    assert observed.numeric[:, 0].tolist() == [1, 0, 1, 0] * 10
    cohort, *_ = built(pd.DataFrame({"pid": IDS, "x": [str(k) for k in range(PATIENTS)]}), columns=["x"])
    entry = {
        "name": "m",
        "kind": "table",
        "source": pd.DataFrame({"pid": IDS, "x": ["TRUE", *numbers, "7"]}),
        "id": "pid",
    }
    with pytest.raises(InputError, match="1 truth values among numbers"):
        build_cohort(spec(entry), like=cohort.schema)


def test_values_levels_and_scales_against_pandas() -> None:
    cohort, observed, fields, _ = built(labs(), missing=["-1"])
    frame = labs().set_index("pid").loc[cohort.id]
    wbc = frame.wbc.where(frame.wbc != "-1").astype(float).to_numpy()
    assert observed.patient.tolist() == list(range(PATIENTS))
    assert fields.numeric == ("wbc",)
    np.testing.assert_array_equal(observed.numeric[:, 0], wbc.astype(np.float32))
    train = np.array(cohort.split) == "train"
    assert fields.scales[0].count == np.isfinite(wbc[train]).sum()
    assert fields.scales[0].mean == pytest.approx(np.nanmean(wbc[train]))
    assert fields.scales[0].std == pytest.approx(np.nanstd(wbc[train]))
    assert fields.scales[0].quantiles[8] == pytest.approx(np.nanmedian(wbc[train]))
    counts = frame.unit[train].value_counts()
    assert fields.levels == (tuple(sorted(counts.index, key=lambda level: (-counts[level], level))),)
    decoded = np.array(fields.levels[0])[observed.categorical[:, 0] - 2]
    assert (decoded == frame.unit.to_numpy()).all()


@pytest.mark.parametrize("missing", [[-1], ["-1"], [-1.0], -1])
@pytest.mark.parametrize("cells", [["-1", "-1.0", "2"] * 10, [-1, -1, 2] * 10, [-1.0, -1.0, 2.0] * 10])
def test_declared_missing_compares_as_text_and_number(missing: Any, cells: list[Any]) -> None:
    cohort, observed, _, _ = column(cells, missing=missing)
    assert observed.patient.tolist() == list(range(2, 30, 3))
    receipt = cohort.receipt.modalities[0]
    assert [(drop.reason, drop.rows) for drop in receipt.drops] == [("no measured value in the chosen columns", 20)]
    assert receipt.rows_read == receipt.rows_kept + 20


def test_rare_levels_are_those_of_train_only() -> None:
    cells = [None if k % 7 == 0 else "common" for k in range(PATIENTS)]
    first = build_cohort(spec())
    tested = [row for row, name in enumerate(first.split) if name == "test"]
    for row in tested:
        cells[row] = "only in test"
    _, observed, fields, notes = built(pd.DataFrame({"pid": IDS, "x": cells, "y": 1}), min_level_count=3)
    assert fields.levels == (("common",),)
    assert (observed.categorical[tested, 0] == LEVEL_UNSEEN).all()
    blank = [row for row, cell in enumerate(cells) if cell is None]
    assert (observed.categorical[blank, 0] == LEVEL_MISSING).all()
    assert notes == []  # no level of train is rare


def test_truth_values_are_numbers() -> None:
    for cells in (["True", "false", None] * 10, [True, False, None] * 10):
        _, observed, fields, _ = built(pd.DataFrame({"pid": IDS[:30], "x": cells, "y": 1.0}))
        assert fields.numeric == ("x", "y")
        np.testing.assert_array_equal(observed.numeric[:3, 0], [1, 0, np.nan])


def test_text_among_numbers_is_an_error_with_ways_out() -> None:
    cells = [str(60 + k) for k in range(20)] + ["> 89"] * 3
    message = (
        r"column 'x' of the DataFrame of modality 'm' looks numeric but 3 values are not: '> 89' \(id 020\), "
        r"'> 89' \(id 021\).*categorical.*missing.*invalid = 'missing'"
    )
    with pytest.raises(InputError, match=message):
        column(cells)
    _, observed, fields, notes = column(cells, invalid="missing")
    assert fields.numeric == ("x",)
    assert len(observed.patient) == 20
    assert "3 cells are not numbers" in notes[0]
    assert column(cells, categorical="x")[2].categorical == ("x",)
    assert column(cells, missing="> 89")[2].numeric == ("x",)
    _, observed, _, _ = column(cells, derive={"x": "coalesce(TRY_CAST(x AS DOUBLE), 90)"})
    assert observed.numeric[-1, 0] == 90


@pytest.mark.parametrize("bad", ["1,234", "1_000", "inf", "nan", "NaN", "0x1F", "1 2"])
def test_what_is_not_a_number(bad: str) -> None:
    with pytest.raises(InputError, match="looks numeric but 1 values are not"):
        column([*map(str, range(20)), bad])


@pytest.mark.parametrize("good", ["1e3", "-.5", "+7", "0012", "5."])
def test_what_is_a_number(good: str) -> None:
    _, observed, _, _ = column([*map(str, range(20)), good])
    assert observed.numeric[-1, 0] == pytest.approx(float(good))


def test_infinity_in_a_float_column_is_invalid() -> None:
    with pytest.raises(InputError, match="not: 'inf'"):
        column([*map(float, range(20)), np.inf])
    _, observed, _, _ = column([*map(float, range(20)), np.inf], invalid="missing")
    assert len(observed.patient) == 20


def test_categories_that_look_numeric() -> None:
    _, observed, fields, _ = column([1, 2, 3] * 10, categorical=["x"])
    assert fields.categorical == ("x",)
    assert fields.levels == (("1", "2", "3"),) or set(fields.levels[0]) == {"1", "2", "3"}
    assert observed.numeric.shape == (30, 0)


def test_default_columns_leave_out_ids_labels_times_and_free_text() -> None:
    frame = patients().assign(
        stayid=[1000 + 7 * k % 83 for k in range(40)], note=[f"text {k}" for k in range(40)], empty=None
    )
    frame["age"] = [40 + k * k % 37 for k in range(40)]
    frame["clock"] = "12:30"
    entry = {"name": "m", "kind": "table", "source": frame, "id": "pid", "min_level_count": 1}
    split = {"kind": "time", "column": "admitted"}
    cohort = build_cohort(spec(entry, split=split, cohort={"source": frame}))
    fields = cohort.schema.modalities[0]
    assert fields.numeric == ("age",)
    assert fields.categorical == ("site", "sex", "stage")  # not person, died, admitted: the cohort's own
    notes = " ".join(cohort.receipt.modalities[0].notes)
    for word in (
        "'stayid' looks like an id",
        "'note' has a text of its own",
        "'empty' has no measured",
        "'clock' holds times",
    ):
        assert word in notes


def test_columns_by_list_pattern_and_exclusion() -> None:
    frame = pd.DataFrame({"pid": IDS, "a1": 1, "a2": 2, "b": 3})
    assert built(frame, columns=["b", "a1"])[2].numeric == ("b", "a1")
    assert built(frame, columns="a*")[2].numeric == ("a1", "a2")
    assert built(frame, columns="a*", exclude="*2")[2].numeric == ("a1",)
    assert built(frame, exclude=["b"])[2].numeric == ("a1", "a2")
    with pytest.raises(InputError, match=r"has no column 'a11' \(columns of modality 'm'\). Did you mean 'a1'"):
        built(frame, columns=["a11"])
    with pytest.raises(InputError, match=r"no column matches 'c\*'"):
        built(frame, columns="c*")
    with pytest.raises(InputError, match=r"no column .* is left"):
        built(frame, exclude=["*1", "*2", "b"])


def test_two_rows_per_patient() -> None:
    frame = pd.concat([labs(), labs()[3:5]])
    with pytest.raises(
        InputError, match=r"2 patients have more than one row: '003' \(2 rows\), '004' \(2 rows\). .*where"
    ):
        built(frame)
    assert len(built(frame.assign(n=[0] * 40 + [1] * 2), where="n = 0")[1].patient) == 40


def test_rows_of_the_window_only() -> None:
    frame = pd.concat([labs().assign(t=10), labs().assign(t=2000)])
    cohort, observed, _, _ = built(frame, time="t", window=[0, 1440], columns=["wbc"])
    assert len(observed.patient) == 40
    assert cohort.receipt.modalities[0].drops[0].reason == "outside the window of 0 to 1440 minutes"
    assert cohort.receipt.modalities[0].drops[0].rows == 40


def test_like_uses_the_fitted_columns_and_levels() -> None:
    fitted = build_cohort(spec())
    fresh = labs(3).assign(unit=["ward", "new", None], extra="x", wbc=["5", "x", "7"])
    entry = {"name": "labs", "kind": "table", "source": fresh, "id": "pid", "missing": [-1]}
    with pytest.raises(InputError, match="looks numeric but 1 values are not: 'x'"):
        build_cohort(spec(entry, cohort={"source": patients(3)}), like=fitted.schema)
    entry["invalid"] = "missing"
    cohort = build_cohort(spec(entry, cohort={"source": patients(3).drop(columns="died")}), like=fitted.schema)
    observed = cohort.observations["labs"]
    assert isinstance(observed, TableObservations)
    assert cohort.schema == fitted.schema
    note = "column 'unit': 1 of 2 levels were rare in training or not there and count as unseen ('new')"
    assert note in cohort.receipt.modalities[0].notes
    levels = fitted.schema.modalities[0].levels[0]
    assert observed.categorical[:, 0].tolist() == [levels.index("ward") + 2, LEVEL_UNSEEN, LEVEL_MISSING]
    np.testing.assert_array_equal(observed.numeric[:, 0], [5, np.nan, 7])
    assert np.isnan(cohort.y).all()
    entry["source"] = fresh.drop(columns="wbc").assign(wcb=1)
    with pytest.raises(SchemaError, match=r"has no column 'wbc', which the fitted schema needs. Did you mean 'wcb'"):
        build_cohort(spec(entry, cohort={"source": patients(3)}), like=fitted.schema)


def test_rows_of_several_parquet_files_are_told_apart(tmp_path: Path) -> None:
    labs()[:20].to_parquet(tmp_path / "a1.parquet")
    labs()[20:].to_parquet(tmp_path / "a2.parquet")
    entry = {"name": "m", "kind": "table", "source": "a*.parquet", "id": "pid", "min_level_count": 1}
    parted = build_cohort(spec(entry, base_dir=tmp_path)).observations["m"]
    whole = build_cohort(spec({**entry, "source": labs()})).observations["m"]
    assert isinstance(parted, TableObservations)
    assert isinstance(whole, TableObservations)
    np.testing.assert_array_equal(parted.numeric, whole.numeric)
    np.testing.assert_array_equal(parted.categorical, whole.categorical)


def test_tables_that_lie_in_files_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    _, held, fields, _ = built(labs(), missing=[-1])
    monkeypatch.setenv("GDSFD_ARRAY_BYTES", "0")
    _, mapped, again, _ = built(labs(), missing=[-1])
    assert isinstance(mapped.numeric, np.memmap)
    assert isinstance(mapped.categorical, np.memmap)
    for name in vars(held):
        np.testing.assert_array_equal(getattr(held, name), getattr(mapped, name))
        assert getattr(held, name).dtype == getattr(mapped, name).dtype
    assert fields == again
