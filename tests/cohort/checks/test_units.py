"""One site in another unit, and two units in one column."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from gdsfd.cohort.build import build_cohort
from tests.cohort.small_exports import patients, spec

COUNT = 200
RANDOM = np.random.default_rng(0)
CRP = np.round(RANDOM.gamma(2, 20, COUNT) + 1, 1)
NORTH = patients(COUNT)["site"].to_numpy() == "north"


def told(values: Any, kind: str = "table", environment: str | None = "site") -> list[str]:
    table = patients(COUNT)
    frame = pd.DataFrame({"pid": table["pid"], "x": values, "item": "crp", "t": 5})
    fields: dict[str, Any] = {"columns": ["x"]} if kind == "table" else {"item": "item", "value": "x", "time": "t"}
    entry = {"name": "m", "kind": kind, "source": frame, "id": "pid", **fields}
    cohort = build_cohort(spec(entry, cohort={"source": table, "environment": environment}))
    return [finding.text for finding in cohort.receipt.findings if finding.kind == "range"]


@pytest.mark.parametrize("kind", ["table", "events"])
@pytest.mark.parametrize("factor", [0.05, 18.0])
def test_a_site_in_another_unit(kind: str, factor: float) -> None:
    found = [text for text in told(np.where(NORTH, CRP * factor, CRP), kind) if text.startswith("in '")]
    assert len(found) == 1
    assert "outside the middle 98 % of those elsewhere" in found[0]
    assert "another unit or analyser?" in found[0]
    assert told(np.where(NORTH, CRP * 1.5, CRP), kind) == []
    assert told(CRP, kind) == []


def test_a_number_of_the_site_itself_is_no_other_unit() -> None:
    assert told(np.where(NORTH, 900, 20 + np.arange(COUNT) % 3)) == []  # beds


@pytest.mark.parametrize("kind", ["table", "events"])
def test_two_units_in_one_column(kind: str) -> None:
    weight = np.round(RANDOM.normal(70, 12, COUNT), 1)
    (text,) = told(np.where(np.arange(COUNT) % 3 == 0, weight * 1000, weight), kind, environment=None)
    assert text.startswith("its values fall into two groups with nothing between: 133 of 200 are ")
    assert "Are they in two units?" in text
    assert told(weight, kind, environment=None) == []


def test_groups_that_are_none() -> None:
    step = np.arange(COUNT)
    assert told(np.where(step % 2, 1.0, 100.0), environment=None) == []  # two values
    assert told(np.where(step < 3, CRP * 1e4, CRP), environment=None) == []  # three outliers
    assert told(np.where(step % 2, CRP, -CRP), environment=None) == []  # not a scale with a zero
    assert told(np.exp(step / 20), environment=None) == []
    tail = np.where(step < 160, 50 + step % 40, 5000 * np.exp(step / 25))  # an enzyme after an infarction
    assert told(tail, environment=None) == []
