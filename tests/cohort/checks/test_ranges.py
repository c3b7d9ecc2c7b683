"""New patients whose values lie elsewhere than in training are told of."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from gdsfd.cohort.build import build_cohort
from tests.cohort.small_exports import PATIENTS, events, labs, patients, spec

IDS = [f"{k:03d}" for k in range(PATIENTS)]
VECTORS = pd.DataFrame({"pid": IDS, "e": [np.arange(2.0) + k for k in range(PATIENTS)]})


def modalities(**sources: pd.DataFrame) -> list[dict[str, Any]]:
    given = {"labs": labs(), "vitals": events(), "note": VECTORS} | sources
    entries = [
        {"name": "labs", "kind": "table", "missing": [-1]},
        {"name": "vitals", "kind": "events", "item": "item", "value": "value"},
        {"name": "note", "kind": "embedding", "columns": "e"},
    ]
    return [{"id": "pid", "source": given[str(entry["name"])], **entry} for entry in entries]


def found(rows: slice = slice(None), **sources: pd.DataFrame) -> dict[str, tuple[str, float]]:
    fitted = build_cohort(spec(modalities())).schema
    again = spec(modalities(**sources), cohort={"source": patients()[rows]})
    findings = build_cohort(again, like=fitted).receipt.findings
    return {each.where: (each.text, each.value or 0.0) for each in findings if each.kind == "range"}


def test_the_same_patients_are_no_finding() -> None:
    assert found() == {}
    assert not [each for each in build_cohort(spec(modalities())).receipt.findings if each.kind == "range"]


def test_another_unit_is_told_by_column_item_and_vector() -> None:
    numbers = labs()
    numbers.loc[numbers.wbc != "-1", "wbc"] = (1000 + np.arange((numbers.wbc != "-1").sum())).astype(str)
    beats = events()
    beats.loc[beats["item"] == "temp", "value"] *= 10
    shifted = VECTORS.assign(e=[row - 500 for row in VECTORS.e])
    said = found(labs=numbers, vitals=beats, note=shifted)
    assert said.keys() == {"labs.wbc", "vitals.temp", "note"}
    text, share = said["labs.wbc"]
    assert share == 1.0
    assert text.startswith("32 of 32 values lie outside the middle 98 % of those in training (")
    assert "is 1.02e+03 here" in text
    assert text.endswith("another unit, analyser or encoder?")
    assert said["note"][0].startswith("80 of 80 values")


@pytest.mark.parametrize(("moved", "told"), [(20, False), (21, True)])
def test_more_than_half_have_to_lie_outside(moved: int, told: bool) -> None:
    vectors = VECTORS.assign(e=[row * 0 + (900 if k < moved else 20.0) for k, row in enumerate(VECTORS.e)])
    assert ("note" in found(note=vectors)) == told


def test_a_few_patients_are_not_judged() -> None:
    shifted = VECTORS.assign(e=[row - 500 for row in VECTORS.e])
    assert found(slice(0, 4), note=shifted) == {}
    assert "note" in found(slice(0, 5), note=shifted)


def numbers(before: np.ndarray, now: np.ndarray) -> list[str]:
    """What is said of a column of patients read with the schema of others."""
    table = patients(200)
    cohorts = []
    for values in (before, now):
        frame = pd.DataFrame({"pid": table["pid"], "x": values})
        entry = {"name": "m", "kind": "table", "source": frame, "id": "pid", "columns": ["x"]}
        like = cohorts[0].schema if cohorts else None
        cohorts.append(build_cohort(spec(entry, cohort={"source": table}), like=like))
    return [each.text for each in cohorts[1].receipt.findings if each.kind == "range"]


def test_a_wide_range_in_another_unit_is_told_by_its_middle() -> None:
    crp = np.round(np.random.default_rng(0).gamma(2, 20, 200) + 1, 1)
    (text,) = numbers(crp, crp / 10)
    assert text.startswith("the middle half of the values, ")
    assert "does not meet that of training" in text
    assert numbers(crp, crp * 1.5) == []
    assert numbers(np.ones(200) * 7.5 + (np.arange(200) > 190), np.ones(200) * 8) == []  # training hardly varies


def test_codes_that_are_others_here_are_told() -> None:
    codes = np.arange(200) % 3 + 1
    (text,) = numbers(codes, codes - 1)
    assert text.startswith("67 of 200 values are 0, and those of training were 1 to 3: are the codes others here")
    assert numbers(codes, np.where(np.arange(200) < 9, 4, codes)) == []  # a rare one more
    assert numbers(codes, codes[::-1]) == []
    assert numbers(codes * 1.5, np.where(codes == 1, 0.5, codes)) == []  # no codes
