"""Columns that a spec works out or joins for nothing."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from gdsfd.cohort.build import build_cohort
from gdsfd.cohort.checks.unused_columns import find_unused
from gdsfd.cohort.spec_check import check_spec
from tests.cohort.small_exports import labs, patients, spec


def told(modality: dict[str, Any] | None = None, **cohort: Any) -> list[tuple[str, str]]:
    entry = None if modality is None else {"name": "m", "kind": "table", "source": labs(), "id": "pid", **modality}
    return [(finding.where, finding.text) for finding in find_unused(spec(entry, cohort=cohort))]


def test_a_derived_column_that_nothing_names_is_told_by_build_and_check() -> None:
    entry = {"name": "m", "kind": "table", "source": labs(), "id": "pid", "columns": ["wbc"], "missing": [-1]}
    made = spec({**entry, "derive": {"wbcc": "wbc / 1000"}})
    text = "derive works out 'wbcc', which nothing uses. Did you mean 'wbc'? Name it where it is meant to be used, or"
    for found in (build_cohort(made).receipt.findings, check_spec(made).warnings):
        assert [finding.text[: len(text)] for finding in found if finding.kind == "columns"] == [text]


@pytest.mark.parametrize(
    "entry",
    [
        {"derive": {"a": "wbc / 2"}},  # all columns are taken
        {"derive": {"a": "wbc / 2", "b": "a + 1"}, "columns": ["b"]},
        {"derive": {"a": "wbc / 2"}, "columns": ["wbc"], "where": "A > 1"},
        {"derive": {"a1": "wbc / 2"}, "columns": ["a*"]},
        {"derive": {"wbc": "wbc / 2"}, "columns": ["wbc"]},
        {"derive": {"a": "5"}, "columns": ["wbc"], "time": "a"},
    ],
)
def test_a_column_that_is_used(entry: dict[str, Any]) -> None:
    assert told(entry) == []


@pytest.mark.parametrize(
    ("entry", "idle"),
    [
        ({"derive": {"b": "wbc + 1", "a": "b / 2"}, "columns": ["b"]}, "'a'"),
        ({"derive": {"a": "a + 1"}, "columns": ["wbc"]}, "'a'"),  # only by itself
        ({"derive": {"a": "wbc / 2"}, "exclude": ["a"]}, "'a'"),
        ({"derive": {"a": "wbc", "b": "a__text"}, "columns": ["wbc"]}, "'b'"),
    ],
)
def test_a_column_that_is_not(entry: dict[str, Any], idle: str) -> None:
    ((where, text),) = told(entry)
    assert where == "m"
    assert f"works out {idle}," in text


def test_the_cohort_and_its_look_ups() -> None:
    look_up = pd.DataFrame({"site": ["north", "south"], "beds": [1, 2], "region": ["a", "b"]})
    join = {"source": look_up, "on": "site", "columns": ["region", "beds"], "derive": {"area": "upper(region)"}}
    ((_, first), (_, second)) = told(join=[join], groups=["region"])
    assert first.startswith("join, derive works out 'area', which nothing uses")
    assert second.startswith("join takes 'beds', which nothing uses")
    join["derive"] = {"region": "upper(region)"}
    assert told(join=[join], groups=["region"], where="beds > 0") == []
    assert told(derive={"adult": "true"}, source=patients()) == [
        ("cohort", "derive works out 'adult', which nothing uses. Name it where it is meant to be used, or take it out")
    ]
    assert told(derive={"adult": "true"}, where="adult") == []
