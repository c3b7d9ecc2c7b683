"""Two spellings of one level, item, code, site or person within a source."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from gdsfd.cohort.build import build_cohort
from gdsfd.cohort.cohort import CodeObservations, Cohort
from gdsfd.cohort.receipt.receipt import Finding
from gdsfd.errors import InputError
from tests.cohort.small_exports import PATIENTS, patients, spec

IDS = [f"{k:03d}" for k in range(PATIENTS)]


def told(cohort: Cohort, kind: str = "spelling") -> list[Finding]:
    return [finding for finding in cohort.receipt.findings if finding.kind == kind]


def keyed(keys: list[Any], **fields: Any) -> dict[str, Any]:
    return {"name": "m", "source": pd.DataFrame({"pid": IDS, "key": keys}), "id": "pid", **fields}


@pytest.mark.parametrize(
    ("fields", "where", "noun"),
    [
        ({"kind": "table", "min_level_count": 1}, "m.key", "levels"),
        ({"kind": "events", "item": "key", "min_count": 1}, "m", "items"),
        ({"kind": "codes", "code": "key", "min_count": 1}, "m", "codes"),
    ],
)
def test_spellings_within_a_source_are_told(fields: dict[str, Any], where: str, noun: str) -> None:
    keys = ["Male"] * 30 + ["male"] * 4 + ["Female"] * 6
    (finding,) = told(build_cohort(spec(keyed(keys, **fields))))
    assert (finding.where, finding.value) == (where, 1.0)
    text = f"1 of 3 {noun} are written like another but for case"
    assert finding.text.startswith(text)
    assert "'male' against 'Male' (4 rows in the rarer spelling)" in finding.text


def test_codes_that_differ_in_zeros_are_different_codes() -> None:
    cohort = build_cohort(spec(keyed(["0042", "042", "42", "250.0", "250"] * 8, kind="codes", code="key", min_count=1)))
    assert set(cohort.schema.modalities[0].codes) == {"0042", "042", "42", "250.0", "250"}
    observed = cohort.observations["m"]
    assert isinstance(observed, CodeObservations)
    assert told(cohort) == []


def test_a_value_declared_missing_in_another_spelling_is_told() -> None:
    entry = keyed(["A", "B", "na", "NA"] * 10, kind="table", missing=["NA"], min_level_count=1)
    (finding,) = told(build_cohort(spec(entry)))
    assert finding.text.startswith(
        "10 cells differ from a value declared missing in case or blanks only: 'na' against 'NA'"
    )


def test_sites_and_groups_in_two_spellings_are_told() -> None:
    frame = patients().assign(site=["73", "73.0", "x", "x"] * 10, sex=["F", "f", "M", "M"] * 10)
    found = told(build_cohort(spec(cohort={"source": frame, "environment": "site", "groups": "sex"})))
    assert [finding.where for finding in found] == ["environment", "group sex"]


def test_several_words_for_an_unknown_site_or_group_are_told() -> None:
    frame = patients()
    frame.loc[:5, "site"], frame.loc[6:11, "site"], frame.loc[12:13, "site"] = "NA", "Unknown", None
    frame.loc[:2, "sex"] = None
    cohort = {"source": frame, "environment": ["site", "stage"], "groups": ["site", "sex"]}
    found = told(build_cohort(spec(cohort=cohort)))
    assert [finding.where for finding in found] == ["site"]  # told once, as an environment
    assert found[0].text.startswith(
        "2 environments say that it is not known: 'Unknown' (8 patients), 'NA' (6 patients); 2 cells are blank. They "
    )
    frame["site"] = frame.site.replace("NA", "Unknown")
    assert not told(build_cohort(spec(cohort=cohort)))


def test_a_person_in_two_spellings_is_a_leak_across_splits() -> None:
    frame = patients().assign(person=[f"{k // 2}" if k % 2 else f"0{k // 2}" for k in range(PATIENTS)])
    found = [
        finding
        for finding in told(build_cohort(spec(cohort={"source": frame})), "leakage")
        if finding.where == "person"
    ]
    assert found[0].value == PATIENTS / 2
    assert "stand in different splits" in found[0].text
    assert not [f for f in told(build_cohort(spec()), "leakage") if f.where == "person"]


def test_a_site_held_out_in_one_spelling_only_is_refused() -> None:
    split = {"kind": "environment", "holdout": ["North"]}
    frame = patients().assign(site=["North", "north ", "South", "South"] * 10)
    frame["person"] = IDS
    with pytest.raises(InputError, match=r"split.holdout: .*'north' against 'North'.*list both under holdout"):
        build_cohort(spec(cohort={"source": frame, "environment": "site"}, split=split))
    split["holdout"] = ["North", "north"]
    cohort = build_cohort(spec(cohort={"source": frame, "environment": "site"}, split=split))
    assert {e for e, s in zip(cohort.environment or [], cohort.split) if s == "test"} == {"North", "north"}
    frame = frame.assign(site=[73.5, 264.0] * 20)
    split["holdout"] = ["264.0"]
    with pytest.raises(InputError, match=r"'264' against '264.0'. Write '264' under holdout"):
        build_cohort(spec(cohort={"source": frame, "environment": "site"}, split=split))


def test_combined_environments_that_would_have_one_name_are_refused() -> None:
    frame = patients().assign(one=["a+b", "a"] * 20, two=["c", "b+c"] * 20)
    with pytest.raises(InputError, match=r"'a\+b', 'c' and 'a', 'b\+c' would both be called 'a\+b\+c'"):
        build_cohort(spec(cohort={"source": frame, "environment": ["one", "two"]}))


def test_a_blank_person_is_nobody_elses() -> None:
    frame = patients()
    frame["person"] = ["id 001", None, *frame.person[2:]]
    cohort = build_cohort(spec(cohort={"source": frame}))
    assert cohort.subject[0] == "id 001"
    assert cohort.subject[1] != "id 001"
