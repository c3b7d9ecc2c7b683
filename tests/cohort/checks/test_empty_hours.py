"""Events that are hours off their origins."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from gdsfd.cohort.build import build_cohort
from gdsfd.cohort.checks.empty_hours import find_empty_hours
from tests.cohort.small_exports import patients, spec

PATIENTS = 120


def told(shift: Any = 0, rows: int = 6000, window: tuple[int, int] = (0, 1440), width: int = 60, **cohort: Any) -> Any:
    """The warnings of this kind over events of a day that are moved by some hours.

    Args:
        shift: Hours; a number, or a function of the site of each event.
        rows: Events.
        window: Of the spec.
        width: Minutes of a step.
        cohort: Fields of the spec's cohort.
    """
    random = np.random.default_rng(0)
    table = patients(PATIENTS)
    owner = random.integers(0, PATIENTS, rows)
    hours = shift(table["site"].to_numpy()[owner]) if callable(shift) else shift
    minute = random.integers(0, 1440, rows) + 60 * hours
    frame = pd.DataFrame({"pid": table["pid"].to_numpy()[owner], "t": minute, "item": "hr", "value": owner % 7 + 60.0})
    entry = {"name": "m", "kind": "events", "source": frame, "id": "pid", "time": "t", "item": "item"}
    made = spec({**entry, "value": "value", "window": window, "bin": width}, cohort={"source": table, **cohort})
    built = build_cohort(made)
    found = find_empty_hours(built)
    assert all(finding in built.receipt.findings for finding in found)
    return [finding.text for finding in found]


@pytest.mark.parametrize(("hours", "where"), [(5, "first 5 hours"), (-5, "last 5 hours"), (1, "first 60 minutes")])
def test_all_events_are_hours_off(hours: int, where: str) -> None:
    (text,) = told(hours)
    assert text.startswith(f"no event of any patient is in the {where} of the window's 24 hours, and 1")


def test_half_hours_are_seen_where_steps_are_short_enough() -> None:
    (text,) = told(1.5, width=15)
    assert "in the first 90 minutes of the window's 24 hours, and 1" in text


@pytest.mark.parametrize(("hours", "where"), [(6, "first 6 hours"), (-6, "last 6 hours")])
def test_the_events_of_one_site_are_hours_off(hours: int, where: str) -> None:
    (text,) = told(lambda site: np.where(site == "north", hours, 0), environment="site")
    assert text.startswith("none of the 30 patients of environment 'north' with events has one in ")
    assert f"has one in the {where} of the window, and 100% of the others have" in text
    assert told(lambda site: np.where(site == "north", hours, 0)) == []  # no environment: the others fill the hours


def test_what_is_no_shift() -> None:
    assert told(environment="site") == []
    assert told(5, rows=60) == []  # few patients
    assert told(5, width=1440) == []
    assert told(0.5) == []  # the first step has some
    assert told(lambda site: np.zeros(len(site)) + 4 * (np.arange(len(site)) % 2), environment="site") == []


def test_records_that_end_one_after_the_other_are_no_shift() -> None:
    """As stays do, of which the longest ends before the window: few patients have events beside what is empty."""
    random = np.random.default_rng(0)
    table = patients(PATIENTS)
    ends = np.sort(random.exponential(400, PATIENTS)).clip(60, 1200)
    frame = pd.concat([pd.DataFrame({"pid": pid, "t": np.arange(0, end, 20)}) for pid, end in zip(table["pid"], ends)])
    entry = {"name": "m", "kind": "events", "source": frame.assign(value=70.5, item="hr"), "id": "pid", "time": "t"}
    made = spec(
        {**entry, "item": "item", "value": "value", "window": (0, 1440), "bin": 60},
        cohort={"source": table.assign(site=np.where(np.arange(PATIENTS) < 100, "a", "b")), "environment": "site"},
    )
    assert find_empty_hours(build_cohort(made)) == []
