"""Times that are read but hardly meant: warnings of the receipt, and silence where all is well."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from gdsfd.cohort.build import build_cohort
from gdsfd.errors import InputError
from tests.cohort.small_exports import PATIENTS, patients, spec

ADMITTED = pd.to_datetime(patients().admitted) + pd.Timedelta("10h30min")


def findings(times: Any, admitted: Any = ADMITTED, **fields: Any) -> list[str]:
    """Warnings of the times of one event per patient."""
    frame = pd.DataFrame({"pid": patients().pid, "t": times, "item": "x", "value": np.arange(PATIENTS)})
    entry = {"name": "m", "kind": "events", "source": frame, "id": "pid", "time": "t", **fields}
    if entry["kind"] == "events":
        entry |= {"item": "item", "value": "value", "min_count": 1}
    cohort = build_cohort(spec(entry, cohort={"source": patients().assign(admitted=admitted)}))
    found = [finding for finding in cohort.receipt.findings if finding.kind == "time"]
    assert {finding.where for finding in found} <= {"m.t"}
    return [finding.text for finding in found]


def spread(minutes: float) -> Any:
    """Times up to so many minutes after admission."""
    return ADMITTED + pd.to_timedelta(np.linspace(0, minutes, PATIENTS), unit="min").round("min")


def test_ordinary_times_are_no_finding() -> None:
    assert findings(spread(1430), origin="admitted", window=[0, 1440]) == []
    assert findings(spread(1430).astype(str), ADMITTED.astype(str), origin="admitted") == []
    assert findings(np.linspace(0, 1430, PATIENTS), window=[0, 1440]) == []
    assert findings(np.linspace(0, 40, PATIENTS), window=[0, 60], bin=60) == []  # one step, as asked for


def test_all_in_one_step() -> None:
    text = "the events of all 40 patients are in one step of 60 minutes"
    hours = findings(np.linspace(0, 23, PATIENTS).round(), window=[0, 1440])
    assert any(text in found for found in hours)
    assert any("first fifth of the window of 0 to 1440 minutes: are they hours or days?" in found for found in hours)
    assert any(text in found for found in findings(np.linspace(0, 23, PATIENTS).round()))  # without a window
    assert any(text in found for found in findings(spread(50), origin="admitted", window=[0, 1440]))


def test_most_patients_outside_the_window() -> None:
    late = np.where(np.arange(PATIENTS) < 5, 100.0, 5000.0)
    (text,) = [found for found in findings(late, window=[0, 1440]) if "outside" in found]
    assert "35 patients have rows outside the window, and only 5 have a row within 0 to 1440 minutes" in text
    some = np.where(np.arange(PATIENTS) < 25, np.arange(PATIENTS) * 50.0, 5000.0)
    assert findings(some, window=[0, 1440]) == []


def test_new_patients_wholly_outside_the_window() -> None:
    def entry(times: Any) -> dict[str, Any]:
        frame = pd.DataFrame({"pid": patients().pid, "t": times, "item": "x", "value": 1.0})
        fields = {"item": "item", "value": "value", "time": "t", "window": [0, 1440], "min_count": 1}
        return {"name": "m", "kind": "events", "source": frame, "id": "pid", **fields}

    fitted = build_cohort(spec(entry(np.linspace(0, 1430, PATIENTS))))
    new = build_cohort(spec(entry(np.full(PATIENTS, -5.0))), like=fitted.schema)
    assert any("no patient has a row within 0 to 1440 minutes" in finding.text for finding in new.receipt.findings)


def test_dates_without_a_time_of_day() -> None:
    days = ADMITTED.dt.normalize() + pd.Timedelta("1D")
    texts = [days.dt.strftime("%Y-%m-%d"), days.dt.date, days]  # as text, as dates, as midnights
    for times in texts:
        (found,) = [text for text in findings(times, origin="admitted", window=[0, 2880]) if "from midnight" in text]
        assert found.startswith(
            "all 40 times are dates without a time of day and count from midnight. A row of the origin's own day "
            "counts as before it. One of the day on which the window ends counts as before that end"
        )
    dates = ADMITTED.dt.date
    alone = findings(spread(1430).dt.date, dates, origin="admitted", window=[0, 4000], bin=1440)
    assert not any("from midnight" in text for text in alone)  # days, in steps of a day
    some = [str(day)[:10] if k < 8 else str(day) for k, day in enumerate(spread(1430) + pd.Timedelta("1D"))]
    assert any(
        "8 of 40 times are dates without a time of day" in text
        for text in findings(some, origin="admitted", window=[0, 4000])
    )
    table = findings(days.dt.date, origin="admitted", window=[0, 2880], kind="table", columns=["value"])
    assert any("all 40 times are dates" in text for text in table)


def test_dates_of_the_day_of_the_prediction_are_let_in_and_told() -> None:
    """The origin is the time of prediction, at 10:30: what bears its date may have been recorded at 18:00."""
    codes = {"kind": "codes", "code": "item", "min_count": 1, "window": [-525600, 0], "origin": "admitted"}
    for times in (ADMITTED.dt.normalize(), ADMITTED.dt.strftime("%Y-%m-%d")):
        (found,) = findings(times, **codes)
        assert "One of the day on which the window ends counts as before that end" in found
        assert "origin's own day" not in found
    assert findings(ADMITTED - pd.Timedelta("1h"), **codes) == []
    assert findings(ADMITTED.dt.normalize() - pd.Timedelta("1D"), ADMITTED.dt.normalize(), **codes) == []
    some = ADMITTED - pd.Timedelta("1h")
    half = some.where(np.arange(PATIENTS) % 2 == 0, some.dt.normalize())
    (found,) = findings(half, **codes)
    assert found.startswith(
        "20 of 40 times lie at midnight exactly, as dates do that became timestamps. One of the day"
    )


def test_placeholders_for_no_time() -> None:
    for placeholder in ("9999-12-31 00:00:00", "1900-01-01", "1970-01-01 00:00:00"):
        times = [placeholder if k < 3 else str(time) for k, time in enumerate(spread(1430))]
        found = findings(times, origin="admitted", window=[0, 1440])
        assert any("3 of 40 times look like placeholders for none" in text for text in found)
        origins = [placeholder if k < 3 else str(time) for k, time in enumerate(ADMITTED)]
        found = findings(spread(1430).astype(str), origins, origin="admitted", window=[0, 1440])
        assert any("3 of 40 origins ('admitted') look like placeholders" in text for text in found)


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [(43_831.0, 43_900.5, "days as a spreadsheet counts them"), (1999, 2024, "are they years")],
)
def test_numbers_that_are_hardly_minutes(low: float, high: float, words: str) -> None:
    assert any(words in text for text in findings(np.linspace(low, high, PATIENTS)))


@pytest.mark.parametrize("text", [False, True])
def test_hours_and_minutes_without_a_colon_are_doubted(text: bool) -> None:
    clock = [hour * 100 + minute for hour in range(20) for minute in (7, 55)]
    times = [f"{number:04d}" for number in clock] if text else clock
    assert any("930 for 09:30? They are read as minutes" in words for words in findings(times))
    assert not any("930 for 09:30" in words for words in findings([minute + 20 for minute in clock]))
    assert findings([0, 720, 1440, 120] * (PATIENTS // 4)) == []  # a grid of minutes


@pytest.mark.parametrize("far", [float("inf"), 1e300])
def test_numbers_beyond_all_times_are_refused_as_such(far: float) -> None:
    with pytest.raises(InputError, match="1 numbers beyond 100 years of minutes"):
        findings([far, *range(1, PATIENTS)])


def test_origins_without_a_time_of_day_beside_times_with_one() -> None:
    dates = ADMITTED.dt.strftime("%Y-%m-%d")
    told = findings(spread(600).astype(str), dates, origin="admitted", window=[0, 2880])
    assert [text[:66] for text in told] == ["all origins ('admitted') are dates without a time of day and count"]
    days = spread(5000).dt.strftime("%Y-%m-%d")
    assert findings(days, dates, origin="admitted", window=[0, 14400], bin=1440) == []


@pytest.mark.parametrize("text", [True, False])
def test_a_clock_of_twelve_hours_that_lost_its_half(text: bool) -> None:
    def told(hours: Any) -> list[str]:
        rows = PATIENTS * 10
        frame = pd.DataFrame({"pid": np.resize(patients().pid, rows), "item": "x", "value": np.arange(rows)})
        hour = np.resize(hours, rows)
        frame["t"] = pd.Timestamp("2150-01-20") + pd.to_timedelta(hour * 60 + np.arange(rows) % 60, unit="min")
        frame["t"] = frame["t"].astype(str) if text else frame["t"]
        entry = {"name": "m", "kind": "events", "source": frame, "id": "pid", "time": "t", "item": "item"}
        entry |= {"value": "value", "min_count": 1, "origin": "admitted", "bin": 1440}
        found = build_cohort(spec(entry, cohort={"source": patients().assign(admitted=ADMITTED)})).receipt.findings
        return [finding.text for finding in found if "twelve-hour" in finding.text]

    (said,) = told(np.arange(1, 13))
    assert said.startswith("all 400 times lie between 1:00 and 12:59, ")
    assert told(np.arange(24)) == []
    assert told(np.arange(7, 13)) == []  # mornings
    assert told([*range(1, 13), 0]) == []


def of_sites(north: Any, window: list[int], **cohort: Any) -> list[str]:
    """Warnings of times over hourly minutes of a day, those of the site north worked out by a function of them."""
    cohort = {"source": patients(120), "environment": "site", **cohort}
    table = cohort["source"]
    rows = pd.DataFrame({"pid": np.repeat(table["pid"].to_numpy(), 8), "minute": np.tile(np.arange(8) * 170 + 30, 120)})
    at_north = np.repeat((table["site"] == "north").to_numpy(), 8)
    rows["t"] = np.where(at_north, north(rows["minute"]), rows["minute"])
    entry = {"name": "m", "kind": "events", "source": rows.assign(item="hr"), "id": "pid", "item": "item", "time": "t"}
    built = build_cohort(spec(entry | {"window": window}, cohort=cohort))
    return [each.text for each in built.receipt.findings if each.where == "m.t" and "rows outside" in each.text]


@pytest.mark.parametrize("north", [lambda t: t * 60 + 900, lambda t: t - 525_600, lambda t: t + 41 * 1440])
def test_one_site_whose_rows_lie_outside(north: Any) -> None:
    (text,) = of_sites(north, [0, 1440])
    assert text.startswith(
        "in 'north' 30 patients have rows outside the window of 0 to 1440 minutes, and only 0 have any within; "
        "elsewhere 90 have. Are its times"
    )
    assert of_sites(north, [0, 1440], environment=None) == []


def test_sites_that_are_alike() -> None:
    assert of_sites(lambda t: t, [0, 200]) == []
    assert of_sites(lambda t: t, [0, 20_000]) == []
    assert of_sites(lambda t: np.where(t < 100, t, t * 60), [0, 1440]) == []  # each patient has a row within
    assert of_sites(lambda t: t, [0, 20_000], environment=["site", "pid"]) == []


def test_sites_with_few_patients_outside() -> None:
    few = {"source": patients(120).assign(site=np.where(np.arange(120) < 19, "north", "south"))}
    assert of_sites(lambda t: t + 9000, [0, 1440], **few) == []
