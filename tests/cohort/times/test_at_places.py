"""Times of one environment that are not as those elsewhere: told by name; and silence where sites merely differ."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from gdsfd.cohort.build import build_cohort
from tests.cohort.small_exports import spec

PATIENTS, PER_PATIENT = 400, 16
_RANDOM = np.random.default_rng(3)
OWNER = np.repeat(np.arange(PATIENTS), PER_PATIENT)
ADMITTED = pd.Timestamp("2150-01-01") + pd.to_timedelta(_RANDOM.integers(0, 365 * 1440, PATIENTS), unit="min")
TIMES = pd.Series(ADMITTED[OWNER] + pd.to_timedelta(_RANDOM.integers(0, 4320, len(OWNER)), unit="min"))
TEXT = TIMES.dt.strftime("%Y-%m-%d %H:%M:%S")
SITE = np.array(["north", "south", "east", "west"])[np.arange(PATIENTS) % 4]
HERE = SITE[OWNER] == "south"


def told(times: Any, site: Any = SITE, admitted: Any = ADMITTED, **fields: Any) -> list[str]:
    """Warnings about times of events, of a window of a day unless said otherwise."""
    pid = np.array([f"p{k}" for k in range(PATIENTS)])
    cohort = {"pid": pid, "person": pid, "site": site, "admitted": pd.Series(admitted).astype(str)}
    cohort |= {"died": np.where(np.arange(PATIENTS) % 3 == 0, "yes", "no")}
    events = pd.DataFrame({"pid": pid[OWNER], "t": times, "item": "hr", "value": _RANDOM.normal(size=len(OWNER))})
    entry = {"name": "m", "kind": "events", "source": events, "id": "pid", "item": "item", "value": "value"}
    entry |= {"time": "t", "origin": "admitted", "window": [0, 1440], **fields}
    built = build_cohort(spec(entry, cohort={"source": pd.DataFrame(cohort), "environment": "site"}))
    return [finding.text for finding in built.receipt.findings if finding.where == "m.t"]


def twelve_hours(times: pd.Series) -> pd.Series:
    """Times as a clock without AM and PM shows them."""
    hour = (times.dt.hour % 12).where(times.dt.hour % 12 > 0, 12)
    return times.dt.strftime("%Y-%m-%d ") + hour.astype(str).str.zfill(2) + times.dt.strftime(":%M:%S")


def swapped(text: pd.Series) -> pd.Series:
    """Dates with day and month the other way round where that is a date."""
    other = text.str[:4] + "-" + text.str[8:10] + "-" + text.str[5:7] + text.str[10:]
    return text.where(text.str[8:10].astype(int) > 12, other)


def test_sites_that_differ_as_sites_do_are_no_finding() -> None:
    assert told(TEXT) == told(TIMES) == []
    early = TIMES.where(~HERE, TIMES.dt.normalize() + pd.Timedelta("8h") + (TIMES - TIMES.dt.normalize()) / 6)
    assert [text for text in told(early, window=[-1440, 4320]) if "twelve-hour" in text] == []  # mornings: 8 to 12
    later = TIMES.where(~HERE, TIMES + pd.Timedelta("3h"))
    assert told(later) == []  # measured later, with nothing at the origin: of which the first hours tell


@pytest.mark.parametrize("typed", [False, True])
def test_a_twelve_hour_clock(typed: bool) -> None:
    times = TEXT.where(~HERE, twelve_hours(TIMES))
    found = told(pd.to_datetime(times) if typed else times)
    assert "times of environment 'south' lie between 1:00 and 12:59" in found[0]
    assert "twelve-hour clock that lost its AM and PM" in found[0]
    both = HERE | (SITE[OWNER] == "east")
    (text,) = [text for text in told(TEXT.where(~both, twelve_hours(TIMES))) if "twelve-hour" in text]
    assert "(and 1 more like it)" in text


def test_origins_of_a_twelve_hour_clock() -> None:
    admitted = pd.Series(ADMITTED)
    text = admitted.dt.strftime("%Y-%m-%d %H:%M:%S").where(SITE != "south", twelve_hours(admitted))
    assert any("origins ('admitted') of environment 'south'" in found for found in told(TEXT, admitted=text))


def test_few_patients_say_nothing_of_a_clock() -> None:
    site = np.where(np.arange(PATIENTS) < 19, "ward", "north")  # 304 times, of 19 patients
    assert told(TEXT.where(site[OWNER] != "ward", twelve_hours(TIMES)), site) == []


@pytest.mark.parametrize("typed", [False, True])
def test_dates_alone(typed: bool) -> None:
    times = TEXT.where(~HERE, TEXT.str[:10])
    found = told(pd.to_datetime(times, format="mixed") if typed else times)
    (text,) = [text for text in found if "environment 'south' are dates, or lie at midnight" in text]
    assert text.startswith(f"{HERE.sum():,} of {HERE.sum():,} times of")
    days = pd.Series(ADMITTED).dt.normalize()
    assert not any("'south'" in text for text in told(times, admitted=days, bin=1440))  # days are what is asked for


def test_days_read_as_months_with_the_others_blank() -> None:
    times = swapped(TEXT).where(TIMES.dt.day <= 12).where(HERE, TEXT)
    (text,) = [text for text in told(times) if "twelfth" in text]
    assert f"none of the {(HERE & (TIMES.dt.day <= 12)).sum():,} times of environment 'south' is after" in text


def test_days_read_as_months_where_they_can_be() -> None:
    (text,) = told(swapped(TEXT).where(HERE, TEXT))
    share = text.removeprefix("in 'south' ").split(" patients")[0]
    alone, having = map(int, share.split(" of "))
    assert having == 100
    assert 25 <= alone <= 45
    assert "outside the window of 0 to 1440 minutes only, and elsewhere " in text
    assert "Are day and month the other way round there" in text
    admitted = pd.Series(ADMITTED.strftime("%Y-%m-%d %H:%M:%S"))
    (text,) = told(TEXT, admitted=swapped(admitted).where(SITE == "south", admitted))
    assert "in 'south'" in text


def test_patients_measured_late_at_every_site_are_no_finding() -> None:
    late = np.random.default_rng(5).random(PATIENTS)[OWNER] < np.where(HERE, 0.4, 0.1)
    assert told(TIMES.where(~late, TIMES + pd.Timedelta("10D"))) == []


def test_times_in_utc_where_others_go_on_after_the_window() -> None:
    (text,) = told(TIMES.where(~HERE, TIMES - pd.Timedelta("5h")))
    assert "patients with rows have some up to 4.9 hours before the window, and elsewhere 0 of 300" in text
    assert "in another zone than their origins" in text
    # rows of days before are another practice, not another zone
    assert told(TIMES.where(~HERE, TIMES - pd.Timedelta("20h"))) == []


def test_a_clock_in_another_unit() -> None:
    minutes = (TIMES - pd.Series(ADMITTED[OWNER])).dt.total_seconds() / 60
    found = told(minutes.where(~HERE, minutes * 60), origin=None)
    assert any("in 'south'" in text and "have any within" in text for text in found)
