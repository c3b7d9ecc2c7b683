from __future__ import annotations

import datetime as dt
from typing import Any

import pandas as pd
import pytest

from gdsfd.cohort.build import build_cohort
from gdsfd.cohort.cohort import EventObservations
from gdsfd.errors import InputError
from tests.cohort.small_exports import PATIENTS, patients, spec


def steps(times: list[Any], cohort: pd.DataFrame | None = None, **fields: Any) -> list[int]:
    """Steps of one minute of the first patients' single events at ``times``; -1 = dropped."""
    frame = pd.DataFrame({"pid": [f"{k:03d}" for k in range(len(times))], "t": times})
    entry = {"name": "m", "kind": "events", "source": frame.assign(item="x"), "id": "pid", "item": "item", "time": "t"}
    entry |= {"min_count": 1, "bin": 1, "window": [-10_000, 80_000], **fields}
    built = build_cohort(spec(entry, cohort={"source": patients() if cohort is None else cohort}))
    observed = built.observations["m"]
    assert isinstance(observed, EventObservations)
    found = dict(zip(observed.patient.tolist(), (observed.step - 10_000).tolist()))
    return [found.get(row, -1) for row in range(len(times))]


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        (["5", "7.9", "-3", "", "1e2"] * 4, [5, 7, -3, -1, 100] * 4),
        ([5, 7, -3, 0, 100] * 4, [5, 7, -3, 0, 100] * 4),
        ([5.0, None, 2.5, 1.0, 1.0] * 4, [5, -1, 2, 1, 1] * 4),
        (["00:07", "47:59", "", "100:00", "1:30"] * 4, [7, 2879, -1, 6000, 90] * 4),
        (["00:07:59", "01:00:00", "00:00:00.5", "2:00", "0:01"] * 4, [7, 60, 0, 120, 1] * 4),
        (
            [pd.Timedelta("1h"), pd.Timedelta("2 days"), pd.NaT, pd.Timedelta(0), pd.Timedelta("90s")] * 4,
            [60, 2880, -1, 0, 1] * 4,
        ),
    ],
)
def test_numbers_and_clocks(times: list[Any], expected: list[int]) -> None:
    assert steps(times) == expected


def test_timestamps_count_from_the_origin() -> None:
    admitted = pd.Timestamp("2150-01-01")  # patient k was admitted k days later
    times = [admitted + pd.Timedelta(days=k, minutes=10 * k) for k in range(20)]
    expected = [10 * k for k in range(20)]
    assert steps(times, origin="admitted") == expected
    assert steps([str(time) for time in times], origin="admitted") == expected
    assert steps([time.isoformat() for time in times], origin="admitted") == expected
    typed = patients().assign(admitted=lambda frame: pd.to_datetime(frame.admitted))
    assert steps(times, cohort=typed, origin="admitted") == expected
    blank = patients()
    blank.loc[2, "admitted"] = None
    assert steps(times, cohort=blank, origin="admitted")[:4] == [0, 10, -1, 30]


def test_offsets_from_utc_count() -> None:
    cohort = patients().assign(admitted=[f"2150-01-{1 + k % 28:02d} 00:00:00+01:00" for k in range(PATIENTS)])
    times = [f"2150-01-{1 + k:02d}T0{k % 3}:{k:02d}:00+0{1 + k % 3}:00" for k in range(20)]
    assert steps(times, cohort=cohort, origin="admitted") == list(range(20))
    assert steps([time.replace("T", " ")[:-3] for time in times], cohort=cohort, origin="admitted") == list(range(20))
    cohort = patients().assign(admitted=[f"2150-01-{1 + k % 28:02d}T00:00Z" for k in range(PATIENTS)])
    times = [f"2150-01-{1 + k:02d} 00:{k:02d}:00 UTC" for k in range(20)]
    assert steps(times, cohort=cohort, origin="admitted") == list(range(20))


def test_offsets_on_one_side_only_are_refused() -> None:
    times = ["2150-01-01 10:00:00"] * 19 + ["2150-01-01 10:00:00+02:00"]
    with pytest.raises(
        InputError, match=r"'t' of .*: 1 of 20 times have an offset from UTC, .*'2150-01-01 10:00:00\+02"
    ):
        steps(times, origin="admitted")
    times = ["2150-01-01 10:00:00+02:00"] * 20
    message = r"column 't' of .* with an offset from UTC, '2150-01-01 10:00:00\+02:00' \(id 000\), and its origin"
    with pytest.raises(InputError, match=message):
        steps(times, origin="admitted")
    cohort = patients().assign(admitted=lambda frame: frame.admitted + " 00:00:00-05")
    with pytest.raises(
        InputError, match=r"its origin 'admitted' in the cohort holds .*-05' .* Write both with offsets"
    ):
        steps(["2150-01-01 10:00:00"] * 5, cohort=cohort, origin="admitted")


@pytest.mark.parametrize("zoned", ["times", "origin"])
def test_a_typed_zone_on_one_side_only_is_refused(zoned: str) -> None:
    cohort = patients().assign(admitted=lambda frame: pd.to_datetime(frame.admitted))
    times = pd.to_datetime(pd.Series([f"2150-01-{1 + k:02d} 10:00" for k in range(20)]))
    if zoned == "times":
        times = times.dt.tz_localize("Europe/Berlin")
    else:
        cohort["admitted"] = cohort.admitted.dt.tz_localize("America/New_York")
    have, lack = ("'t' of .*", "its origin 'admitted'") if zoned == "times" else ("its origin 'admitted'", "'t' of")
    with pytest.raises(InputError, match=rf"{have}.* holds timestamps with an offset from UTC, .* and .*{lack}.* none"):
        steps(times.tolist(), cohort=cohort, origin="admitted")
    text = times.astype(str).tolist()  # text beside a typed column
    with pytest.raises(InputError, match="with an offset from UTC"):
        steps(text, cohort=cohort, origin="admitted")


def test_typed_zones_on_both_sides_are_compared_in_utc() -> None:
    cohort = patients().assign(admitted=lambda frame: pd.to_datetime(frame.admitted).dt.tz_localize("Europe/Berlin"))
    local = pd.to_datetime(pd.Series([f"2150-01-{1 + k:02d} 00:{k:02d}" for k in range(20)]))
    times = local.dt.tz_localize("Europe/Berlin").dt.tz_convert("Asia/Tokyo")
    assert steps(times.tolist(), cohort=cohort, origin="admitted") == list(range(20))
    assert steps(times.astype(str).tolist(), cohort=cohort, origin="admitted") == list(range(20))
    derived = steps(times.tolist(), cohort=cohort, origin="admitted", time="u", derive={"u": "t"})
    assert derived == list(range(20))  # a derived column keeps its zone


def test_a_zone_is_dropped_only_by_saying_so() -> None:
    local = pd.to_datetime(pd.Series([f"2150-01-{1 + k:02d} 00:{k:02d}" for k in range(20)]))
    times = local.dt.tz_localize("Europe/Berlin").tolist()
    said = {"time": "u", "derive": {"u": "timezone('Europe/Berlin', t)"}}
    assert steps(times, origin="admitted", **said) == list(range(20))


def test_dates_and_days_beside_timestamps() -> None:
    cohort = patients().assign(admitted=lambda frame: pd.to_datetime(frame.admitted).dt.date)
    times = [f"2150-01-{1 + k:02d} 00:{k:02d}" for k in range(20)]
    assert steps(times, cohort=cohort, origin="admitted") == list(range(20))
    assert steps(pd.to_datetime(pd.Series(times)).tolist(), cohort=cohort, origin="admitted") == list(range(20))
    dates = [time[:10] for time in times]
    assert steps(dates, cohort=cohort, origin="admitted") == [0] * 20
    assert steps(["1 day 00:05:00", "-1 day, 23:30:00", "00:07", "2 days"] * 5) == [1445, -30, 7, 2880] * 5
    assert steps(pd.Series([dt.time(0, k) for k in range(20)]).tolist()) == list(range(20))


def test_the_hours_of_the_afternoon_are_not_lost() -> None:
    cohort = patients().assign(admitted=[f"2150-01-{1 + k % 28:02d} 10:00:00" for k in range(PATIENTS)])
    hours = [("11:00:00 AM", 60), ("12:00:00 PM", 120), ("01:00:00 PM", 180), ("12:30:00 AM", -570)]
    times = [f"2150-01-{1 + k:02d} {hours[k % 4][0]}" for k in range(20)]
    assert steps(times, cohort=cohort, origin="admitted") == [hours[k % 4][1] for k in range(20)]


def test_numbers_relative_to_numbers() -> None:
    cohort = patients().assign(start=range(PATIENTS))
    assert steps([100] * 20, cohort=cohort, origin="start") == [100 - k for k in range(20)]


@pytest.mark.parametrize(
    ("times", "fields", "message"),
    [
        (["5"] * 18 + ["soon", "5h"], {}, r"'t' .* 2 times .*: 'soon' \(id 018\), '5h' \(id 019\); expected numbers"),
        (["00:10"] * 19 + ["5"], {}, r"1 times that cannot be read: '5' \(id 019\); expected hh:mm"),
        (["00:10"] * 19 + ["00:61"], {}, r"'00:61' \(id 019\)"),
        (["x"] * 20, {}, r"20 times .*expected minutes, hh:mm or ISO timestamps"),
        (["2150-01-01 10:00"] * 20, {}, r"holds timestamps; name the cohort column .* under 'origin'"),
        (["2150-01-01 10:00"] * 19 + ["01/02/2150"], {"origin": "admitted"}, r"'01/02/2150' \(id 019\); expected time"),
        (["5"] * 20, {"origin": "admitted"}, r"holds numbers but its origin 'admitted' holds timestamps"),
        (["5"] * 20, {"origin": "admited"}, r"no column 'admited' \(origin of a modality\). Did you mean 'admitted'"),
    ],
)  # fmt: skip
def test_times_that_cannot_be_read(times: list[Any], fields: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        steps(times, **fields)


def test_rows_that_are_filtered_out_may_hold_anything() -> None:
    assert steps([*["5"] * 19, "soon"], where="t <> 'soon'")[-1] == -1
