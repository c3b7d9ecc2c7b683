from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from gdsfd.cohort.build import build_cohort
from gdsfd.cohort.cohort import Cohort
from gdsfd.errors import InputError
from tests.cohort.small_exports import PATIENTS, patients, spec

IDS = patients().pid.tolist()


def built(cells: list[Any], **fields: Any) -> Cohort:
    frame = pd.DataFrame({"pid": IDS, "x": cells, "hr": [60 + k * 7 % 31 for k in range(PATIENTS)]})
    return build_cohort(
        spec({"name": "m", "kind": "table", "source": frame, "id": "pid", "min_level_count": 1, **fields})
    )


def told(cohort: Cohort) -> dict[str, str]:
    return {finding.where: finding.text for finding in cohort.receipt.findings if finding.kind == "columns"}


@pytest.mark.parametrize("columns", [None, ["x"]])
@pytest.mark.parametrize("cell", ["{},4", "{}.4 mg/L", "{}%", "1,{}00", "<0.{}1"])
def test_decorated_numbers_are_refused_with_the_ways_out(cell: str, columns: Any) -> None:
    cells = [cell.format(1 + k % 9) for k in range(PATIENTS - 1)] + ["0.5"]
    message = (
        r"column 'x' of the DataFrame of modality 'm' looks numeric but 39 values are not: '.*' \(id 000\).*"
        r"List the column under categorical.*derive = \{x = .*invalid = 'missing'"
    )
    with pytest.raises(InputError, match=message):
        built(cells, columns=columns)
    assert built(cells, columns=columns, categorical="x").schema.modalities[0].categorical == ("x",)


def test_words_for_no_value_are_suggested_as_missing() -> None:
    cells = ["not done" if k % 10 else f"{k}.5" for k in range(PATIENTS)]
    with pytest.raises(InputError, match=r"36 values are not: 'not done'.*add to missing = \['not done'\]"):
        built(cells)
    assert built(cells, missing="not done").schema.modalities[0].numeric == ("x", "hr")


def test_invalid_missing_tells_how_much_is_lost() -> None:
    cells = [f"{k},4" if k % 4 else f"{k}" for k in range(PATIENTS)]
    cohort = built(cells, invalid="missing")
    assert cohort.schema.modalities[0].numeric == ("x", "hr")
    assert "30 of 40 values are not numbers as written" in told(cohort)["m.x"]
    cohort = built([f"{k},4" for k in range(PATIENTS)], columns=["x", "hr"], invalid="missing")
    assert cohort.schema.modalities[0].numeric == ("hr",)
    assert "no value that is a number" in told(cohort)["m.x"]


@pytest.mark.parametrize(
    ("cells", "why"),
    [
        (["2150-01-01"] * PATIENTS, "holds times"),
        ([f"note {k}" for k in range(PATIENTS)], "a text of its own"),
        ([None] * PATIENTS, "no measured value"),
        ([[1, 2]] * PATIENTS, "a list or a structure"),
    ],
)
def test_a_column_that_was_named_and_is_left_out_is_a_warning(cells: list[Any], why: str) -> None:
    assert why in told(built(cells, columns=["hr", "x"]))["m.x"]
    by_default = built(cells)
    assert not told(by_default)
    assert why in " ".join(by_default.receipt.modalities[0].notes)


def test_categories_stay_categories() -> None:
    for levels in (["0-17", "18-64", "65+"], ["1+", "2+", "3+"], ["E11.9", "I10", "V45.1"], ["<65", ">=65"]):
        cohort = built([levels[k % len(levels)] for k in range(PATIENTS)])
        assert cohort.schema.modalities[0].categorical == ("x",), levels
        assert not told(cohort)


def test_a_category_with_many_numbers_and_codes_with_zeros_are_told() -> None:
    cells = [f"{k}.5" if k % 3 == 0 else ["positive", "negative"][k % 2] for k in range(PATIENTS)]
    assert "14 of 40 values are numbers" in told(built(cells))["m.x"]
    cohort = built([f"{k * k % 97:05d}" for k in range(PATIENTS)])
    assert cohort.schema.modalities[0].numeric == ("x", "hr")
    assert "leading zeros ('00000')" in told(cohort)["m.x"]


def test_points_that_may_stand_between_thousands_are_told() -> None:
    cells = [f"{1 + k % 9}.{k * 37 % 1000:03d}" if k % 2 else str(500 + k) for k in range(PATIENTS)]
    assert "beside whole ones up to 538: do the points stand between thousands?" in told(built(cells))["m.x"]
    for others in ("1020", "7.25", "0.125", "-9"):  # what is no such number shows that points are decimal points
        assert not told(built([*cells[:-1], others]))
    assert not told(built([f"1.0{k:02d}" for k in range(PATIENTS)]))  # as of the density of urine


def test_what_storage_would_make_infinite_or_equal() -> None:
    with pytest.raises(InputError, match=r"column 'x' .* 1 values are too large .*: 1e\+39 \(id 039\)"):
        built([*(k * k % 7 for k in range(PATIENTS - 1)), 1e39])
    cohort = built([str(20240131000000 + k * k % 97) for k in range(PATIENTS)])
    assert "once stored in single precision" in told(cohort)["m.x"]
