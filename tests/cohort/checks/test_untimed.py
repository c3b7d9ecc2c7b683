"""Modalities that take rows of any time are pointed out when their source could tell the time."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from gdsfd.cohort.build import build_cohort
from gdsfd.cohort.checks.untimed import find_untimed
from gdsfd.cohort.spec import CodesSpec, EmbeddingSpec
from tests.cohort.small_exports import events, spec


def found(*columns: str, label: str = "drugs.csv", **fields: Any) -> list[str]:
    entry = CodesSpec(name="drugs", source="drugs.csv", id="pid", code="drug", **fields)
    view: Any = SimpleNamespace(label=label, columns=("pid", "drug", *columns))
    findings = find_untimed(entry, view, "patients.csv")
    assert all((each.kind, each.where) == ("leakage", "drugs") for each in findings)
    return [each.text for each in findings]


@pytest.mark.parametrize("column", ["charttime", "labresultoffset", "Date", "icu_day", "day"])
def test_a_column_that_is_called_like_a_time(column: str) -> None:
    (text,) = found(column)
    assert f"drugs.csv has {column!r}, but the modality takes rows of any time" in text


@pytest.mark.parametrize("column", ["dose", "birthday", "holiday"])
def test_other_columns(column: str) -> None:
    assert not found(column)


def test_only_what_looks_at_the_time_is_silent() -> None:
    times = ("starttime", "endtime")
    assert found(*times, time="starttime")  # the time without a window leaves nothing out
    assert found(*times, where="dose > 1")
    assert found(*times, where="xstarttime > 1")
    assert not found(*times, where="STARTTIME < 1440")
    assert not found(*times, derive={"late": "endtime > 3"})
    assert not found(*times, time="starttime", window=[0, 1440])


def test_the_cohort_table_and_vectors_are_not_suspected() -> None:
    assert not found("starttime", label="patients.csv")
    entry = EmbeddingSpec(name="note", source="n.csv", id="pid", columns="e")
    view: Any = SimpleNamespace(label="n.csv", columns=("pid", "e", "charttime"))
    assert not find_untimed(entry, view, "patients.csv")


def test_modalities_of_any_time_are_pointed_out() -> None:
    frame = events().rename(columns={"minute": "itemoffset"})
    entry = {"name": "drugs", "kind": "codes", "source": frame, "id": "pid", "code": "item"}

    def leaks(**fields: Any) -> list[str]:
        cohort = build_cohort(spec({**entry, **fields}))
        return [finding.text for finding in cohort.receipt.findings if "any time" in finding.text]

    assert "'itemoffset'" in leaks()[0]
    assert not leaks(time="itemoffset", window=[0, 1440])
