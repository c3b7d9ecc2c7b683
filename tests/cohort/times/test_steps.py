"""Steps and windows whose boundaries floats would miss, against exact fractions."""

from __future__ import annotations

from fractions import Fraction
from math import ceil

import ibis
import numpy as np
import pandas as pd
import pytest

from gdsfd.cohort.build import build_cohort
from gdsfd.cohort.cohort import EventObservations
from gdsfd.cohort.times.steps import number_of_steps, step_of, to_microseconds
from tests.cohort.small_exports import PATIENTS, patients, spec

BINS = ["0.001", "0.1", "0.2", "0.3", "0.7", "1", "2.5", "60", "1440"]


@pytest.mark.parametrize("width", BINS)
@pytest.mark.parametrize("start", ["0", "-14.4", "0.1"])
def test_times_on_boundaries_begin_their_step(width: str, start: str) -> None:
    exact = [
        Fraction(start) + Fraction(width) * k + Fraction(j, 60_000_000) for k in range(0, 9000, 7) for j in (-1, 0)
    ]
    expected = [(time - Fraction(start)) // Fraction(width) for time in exact]
    times = np.array([float(time) for time in exact])
    assert step_of(times, float(start), float(width)).tolist() == expected
    noise = np.nextafter(times, -np.inf)  # what a division or a product leaves behind
    assert step_of(noise, float(start), float(width)).tolist() == expected


@pytest.mark.parametrize("width", BINS[1:])
def test_steps_of_a_window(width: str) -> None:
    for tenths in range(1, 3000, 13):
        expected = ceil(Fraction(tenths, 10) / Fraction(width))
        assert number_of_steps(0.0, tenths / 10, float(width)) == expected
        assert number_of_steps(-tenths / 10, 0.0, float(width)) == expected


def test_a_hundred_years_in_as_many_steps_as_there_may_be() -> None:
    assert number_of_steps(0.0, 52_596_000.0, 525.96) == 100_000
    assert step_of(np.array([0.0, 525.96, 52_595_999.9]), 0.0, 525.96).tolist() == [0, 1, 99_999]


def test_minutes_are_whole_microseconds() -> None:
    table = ibis.memtable(pd.DataFrame({"m": [4.1 * 60, 0.3 - 0.1, -1 / 3, 5.0e7]}))
    found = ibis.duckdb.connect().to_pyarrow(table.select(m=to_microseconds(table.m)))["m"].to_pylist()
    assert found == [246.0, 0.2, -20_000_000 / 6e7, 5.0e7]


@pytest.mark.parametrize(("hours", "kept"), [(4.1, False), (4.0999, True)])
def test_hours_as_minutes_at_the_end_of_a_window(hours: float, kept: bool) -> None:
    """4.1 * 60 is 245.99999999999997: at the end of the window all the same, which is outside of it."""
    count = PATIENTS // 2
    rows = pd.DataFrame({"pid": [f"{k:03d}" for k in range(count)] * 2, "hours": [hours] * count + [1.0] * count})
    entry = {"name": "m", "kind": "events", "source": rows, "id": "pid", "item": "what", "time": "t", "min_count": 1}
    entry |= {"derive": {"t": "hours * 60", "what": "CASE WHEN hours > 2 THEN 'late' ELSE 'early' END"}}
    cohort = build_cohort(spec(entry | {"window": [0, 246], "bin": 6}, cohort={"source": patients()}))
    assert cohort.schema.modalities[0].items == (("early", "late") if kept else ("early",))


def test_steps_of_events_are_those_of_exact_times() -> None:
    """Every 0.1 minutes an event, in steps of as many."""
    rows = pd.DataFrame({"pid": [f"{k % PATIENTS:03d}" for k in range(144 * PATIENTS)]})
    rows["t"] = [f"{k // PATIENTS / 10:.1f}" for k in range(144 * PATIENTS)]
    entry = {"name": "m", "kind": "events", "source": rows.assign(item="x"), "id": "pid", "item": "item", "time": "t"}
    for window in ({"window": [0, 14.4]}, {}):
        cohort = build_cohort(spec(entry | window | {"bin": 0.1}, cohort={"source": patients()}))
        observed, fields = cohort.observations["m"], cohort.schema.modalities[0]
        assert isinstance(observed, EventObservations)
        assert (fields.steps, fields.window) == (144, pytest.approx((0, 14.4)))
        assert observed.step.tolist() == [*range(144)] * PATIENTS
