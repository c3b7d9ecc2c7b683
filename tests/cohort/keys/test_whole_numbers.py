"""A whole number with a decimal point is the level or group that it is without."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from gdsfd.cohort.build import build_cohort
from gdsfd.cohort.cohort import Cohort
from gdsfd.cohort.keys.whole_numbers import note_on_points, without_point
from tests.cohort.small_exports import PATIENTS, patients, spec


@pytest.mark.parametrize(
    ("counts", "known", "merged"),
    [
        ({"4": 9, "4.0": 3}, [], {"4.0": "4"}),
        ({"4": 3, "4.0": 9}, [], {"4.0": "4"}),
        ({"4": 3, "4.0": 9, "5.0": 1, "6": 1}, [], {"4.0": "4", "5.0": "5"}),  # one way of writing per column
        ({"4.": 3, "4.0": 3}, [], {"4.": "4", "4.0": "4"}),
        ({"4.0": 3, "5.0": 3}, [], {}),
        ({"4": 9, "4.0": 3}, ["4.0"], {"4": "4.0"}),
        ({"4": 9, "4.0": 3, "5.0": 1}, ["4"], {"4.0": "4"}),
        ({"4": 9, "4.0": 3}, ["4", "4.0"], {}),  # as an earlier version fitted them
        ({"4.00": 3}, ["4", "4.0"], {"4.00": "4"}),
        ({"-1.0": 1, "-1": 2, "+1.0": 2}, [], {"-1.0": "-1", "+1.0": "+1"}),
        ({"04": 1, "4": 1, "4.5": 1, "4.05": 1, "v4.0": 1, "4.0.0": 1, "4e0": 1, "4,0": 1, "": 1, ".0": 1}, [], {}),
    ],
)
def test_which_are_one(counts: dict[str, int], known: list[str], merged: dict[str, str]) -> None:
    assert without_point(counts, known) == merged


def test_a_note_counts_rows_and_shows_three() -> None:
    counts = {f"{k}.0": k + 1 for k in range(5)} | {f"{k}": 50 for k in range(5)}
    note = note_on_points(without_point(counts), counts, "groups")
    assert note.startswith("15 rows differ from other groups ")
    assert "('0.0' as '0', '1.0' as '1', '2.0' as '2' and 2 more)" in note


def built(levels: list[str | None], sex: list[str | None], like: Cohort | None = None, **fields: Any) -> Cohort:
    frame = patients().assign(sex=sex)
    table = pd.DataFrame({"pid": frame.pid, "stage": levels})
    entry = {"name": "tumour", "kind": "table", "source": table, "id": "pid", "categorical": ["stage"], **fields}
    whole = spec([entry], cohort={"source": frame, "groups": ["sex"]})
    return build_cohort(whole, like=None if like is None else like.schema)


PLAIN: list[str | None] = [None if k % 7 == 0 else str(k % 3) for k in range(PATIENTS)]
#: As they come out of a DataFrame at one site, as text at another.
MIXED = [cell if cell is None or k >= 15 else f"{cell}.0" for k, cell in enumerate(PLAIN)]


def test_levels_and_groups_of_two_files_are_those_of_one() -> None:
    plain, mixed = built(PLAIN, PLAIN), built(MIXED, MIXED)
    assert mixed.groups == plain.groups
    assert mixed.schema.modalities[0].levels == plain.schema.modalities[0].levels
    assert mixed.schema.modalities[0].level_counts == plain.schema.modalities[0].level_counts
    assert np.array_equal(mixed.observations["tumour"].categorical, plain.observations["tumour"].categorical)
    assert [one for one in mixed.receipt.findings if one.kind == "spelling"] == []
    assert any("column 'stage': 12 rows differ from other levels" in note for note in mixed.receipt.modalities[0].notes)
    assert any("group 'sex': 12 rows differ from other groups" in note for note in mixed.receipt.cohort.notes)
    assert not any("decimal point" in note for note in plain.receipt.modalities[0].notes + plain.receipt.cohort.notes)


@pytest.mark.parametrize(("first", "then"), [(PLAIN, MIXED), (MIXED, PLAIN)])
def test_new_patients_levels_are_the_fitted_ones(first: list[str | None], then: list[str | None]) -> None:
    fitted = built(first, PLAIN)
    again = built(then, PLAIN, like=fitted)
    assert np.array_equal(again.observations["tumour"].categorical, fitted.observations["tumour"].categorical)


def test_what_is_declared_missing_stays_missing() -> None:
    cohort = built(["-1.0" if cell == "2" else cell for cell in PLAIN], PLAIN, missing=[-1])
    assert set(cohort.schema.modalities[0].levels[0]) == {"0", "1"}
