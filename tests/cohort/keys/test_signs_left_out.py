"""Codes written with and without their points are told."""

from __future__ import annotations

import pandas as pd
import pytest

from gdsfd.cohort.build import build_cohort
from gdsfd.cohort.keys.signs_left_out import find_signs_left_out
from tests.cohort.small_exports import PATIENTS, patients, spec

IDS = [f"{k:03d}" for k in range(PATIENTS)]
ICD = ["I21.4", "E11.9", "N18.3", "I50"]


def test_one_of_two_ways_in_one_source_is_told_once() -> None:
    (finding,) = find_signs_left_out("dx", counts := {"I21.4": 30, "I214": 4, "I50": 9}, counts, "codes")
    assert (finding.kind, finding.where, finding.value) == ("spelling", "dx", 1.0)
    assert finding.text.startswith(
        "1 codes (4 rows) are written like others but for points, hyphens or blanks inside: "
    )
    assert "'I214' against 'I21.4'" in finding.text


@pytest.mark.parametrize(
    "counts",
    [
        {"I21.4": 5, "I21-4": 5},  # both with a sign: spelling of another kind
        {"04.11": 5, "0411": 5, "I50": 9},  # one pair of digits may be two codes
        {"a.b": 5, "ab": 5},  # too short
        {"I21.4": 5, "I21.9": 5, "I21": 5},
    ],
)
def test_what_may_be_two_codes_is_not_told(counts: dict[str, int]) -> None:
    assert find_signs_left_out("dx", counts, counts, "codes") == []


def test_many_pairs_of_digits_are_told() -> None:
    counts = {f"{k}.{k % 10}": 3 for k in range(250, 260)} | {f"{k}{k % 10}": 2 for k in range(250, 255)}
    (finding,) = find_signs_left_out("dx", counts, counts, "codes")
    assert finding.value == 5.0
    assert "'2500' against '250.0'" in finding.text


def test_new_patients_and_new_cohorts_are_told() -> None:
    def entry(codes: list[str]) -> dict[str, object]:
        frame = pd.DataFrame({"pid": IDS, "code": codes})
        return {"name": "dx", "kind": "codes", "code": "code", "source": frame, "id": "pid", "min_count": 1}

    def told(cohort: object) -> list[str]:
        return [each.text for each in cohort.receipt.findings if "points, hyphens" in each.text]  # type: ignore[attr-defined]

    half = [code.replace(".", "") if k % 8 < 2 else code for k, code in enumerate(ICD * 10)]
    fitted = build_cohort(spec(entry(ICD * 10)))
    assert told(fitted) == []
    again = build_cohort(spec(entry(half), cohort={"source": patients()}), like=fitted.schema)
    assert len(told(again)) == 1
    assert "2 codes (10 rows)" in told(again)[0]
    assert told(build_cohort(spec(entry(half)))) == told(again)
    without = build_cohort(spec(entry(half)))  # and training without points, new patients with them
    there = told(build_cohort(spec(entry(ICD * 10), cohort={"source": patients()}), like=without.schema))
    assert there == []
