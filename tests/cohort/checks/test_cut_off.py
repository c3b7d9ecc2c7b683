"""Modalities that end before the cohort does."""

from __future__ import annotations

import numpy as np
import pytest

from gdsfd.cohort.build import build_cohort
from gdsfd.cohort.checks.cut_off import find_cut_off
from tests.cohort.small_exports import patients, spec


def told(has: np.ndarray, ids: list[str] | None = None) -> list[str]:
    table = patients(len(has))
    table["pid"] = ids or table["pid"]
    rows = table.loc[has, ["pid"]].assign(x=np.arange(has.sum()) % 7 + 0.5)
    entry = {"name": "m", "kind": "table", "source": rows, "id": "pid"}
    cohort = build_cohort(spec(entry, cohort={"source": table}))
    found = find_cut_off(cohort)
    assert all(finding in cohort.receipt.findings for finding in found)
    return [finding.text for finding in found]


def test_an_export_that_ends_in_the_middle() -> None:
    row = np.arange(100)
    (text,) = told((row < 60) & (row % 11 != 3))
    assert text.startswith("none of the last 40 of 100 patients in the order of the cohort table has it, and 90% of")


@pytest.mark.parametrize("write", [lambda k: f"{k:04d}", lambda k: f"stay-{k}"])
def test_a_cohort_in_another_order_than_the_export(write) -> None:
    order = np.random.default_rng(0).permutation(100)
    (text,) = told(order < 60, [write(k) for k in order])
    assert "none of the last 40 of 100 patients in the order of their ids" in text


def test_what_is_no_cut() -> None:
    row = np.arange(100)
    assert told(row < 85) == []  # fifteen in a row
    assert told((row < 60) & (row % 3 == 0)) == []  # a third of the others, too
    assert told(np.random.default_rng(0).random(100) < 0.5) == []
    assert told(row < 100) == []
