"""Outcomes that had come before the end of what a model reads."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from gdsfd.cohort.build import build_cohort
from tests.cohort.small_exports import events, patients, spec

BINARY = {"name": "death", "column": "dead", "positive": "true", "negative": "false"}
SURVIVAL = {**BINARY, "kind": "survival", "time": "days", "event": "dead", "cut_points": [2, 20]}
del SURVIVAL["column"]
DERIVE = {"dead": "died_at IS NOT NULL"}
DAYS = {"days": "date_diff('hour', admitted, coalesce(died_at, CAST('2150-06-01' AS TIMESTAMP))) / 24.0"}


def told(minutes: Any, derive: dict[str, str], outcome: dict[str, Any] = BINARY, window: int = 1440) -> list[str]:
    """The warnings of this kind where every third patient dies some minutes after the admission."""
    table = patients(90)
    row = np.arange(90)
    died = pd.to_datetime(table["admitted"]) + pd.to_timedelta(np.asarray(minutes) + 0 * row, unit="min")
    table["died_at"] = died.dt.strftime("%Y-%m-%d %H:%M:%S").where(row % 3 == 0)
    table["born"] = "2090-05-01"
    rows = events(90, 3000)
    rows["minute"] = (
        pd.Timestamp("2150-01-01") + pd.to_timedelta(rows["pid"].astype(int), unit="D")
    ) + pd.to_timedelta(rows["minute"], unit="min")
    entry = {"name": "m", "kind": "events", "source": rows, "id": "pid", "time": "minute", "origin": "admitted"}
    made = spec(
        {**entry, "item": "item", "value": "value", "window": (0, window), "bin": 60},
        cohort={"source": table, "derive": derive},
        outcome=outcome,
    )
    found = [finding for finding in build_cohort(made).receipt.findings if finding.kind == "leakage"]
    return [finding.text for finding in found if "before the end of the window" in finding.text]


@pytest.mark.parametrize("derive", [DERIVE, {"late": "coalesce(died_at, NULL)", "dead": "late IS NOT NULL"}])
def test_deaths_within_the_window(derive: dict[str, str]) -> None:
    (text,) = told(np.where(np.arange(90) % 2, 300, 4000), derive)
    assert text.startswith("15 of 30 patients with the outcome have '")
    assert "before the end of the window, 1440 minutes after 'admitted'" in text
    assert told(4000, derive) == []
    assert told(2000, derive) == []
    assert len(told(2000, derive, window=2880)) == 1


def test_deaths_before_the_admission_and_times_to_an_event() -> None:
    assert told(-3000, DERIVE)[0].startswith("30 of 30 patients")
    late = {**DERIVE, **DAYS}
    assert told(np.where(np.arange(90) % 2, 300, 4000), late, SURVIVAL)[0].startswith("15 of 30 patients")
    assert told(np.where(np.arange(90) % 2, 2000, 4000), late, SURVIVAL) == []


def test_a_time_that_everybody_has_is_not_the_outcomes() -> None:
    assert told(4000, {"dead": "died_at IS NOT NULL AND born < '2140-01-01'"}) == []
