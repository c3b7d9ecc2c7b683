"""The reader of times against Python's own, and what it refuses."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gdsfd.cohort.times.time_column import read_texts
from gdsfd.errors import InputError

EPOCH = dt.datetime(1970, 1, 1)


def read(*texts: str | None) -> list[float]:
    owners = [f"p{k}" for k in range(len(texts))]
    return [round(minutes, 6) for minutes in read_texts(list(texts), "column 't'", owners)[0].tolist()]


def since_epoch(moment: dt.datetime) -> float:
    return round((moment - EPOCH) / dt.timedelta(minutes=1), 6)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2020-01-31", dt.datetime(2020, 1, 31)),
        ("2020/1/3", dt.datetime(2020, 1, 3)),
        ("2020-01-01 9:05", dt.datetime(2020, 1, 1, 9, 5)),
        ("2020-01-01T10:00:59.25", dt.datetime(2020, 1, 1, 10, 0, 59, 250_000)),
        ("2020-01-01 24:00:00", dt.datetime(2020, 1, 2)),
        ("2020-01-01 12:00:00 AM", dt.datetime(2020, 1, 1)),
        ("2020-01-01 12:15pm", dt.datetime(2020, 1, 1, 12, 15)),
        ("2020-01-01 01:00 PM", dt.datetime(2020, 1, 1, 13)),
        ("2020-01-01 11:59:59 pm", dt.datetime(2020, 1, 1, 23, 59, 59)),
        ("2020-01-01T10:00:00Z", dt.datetime(2020, 1, 1, 10)),
        ("2020-01-01 10:00 UTC", dt.datetime(2020, 1, 1, 10)),
        ("2020-01-01 10:00:00+02:00", dt.datetime(2020, 1, 1, 8)),
        ("2020-01-01 10:00:00 +0230", dt.datetime(2020, 1, 1, 7, 30)),
        ("2020-01-01 10:00:00.5-05", dt.datetime(2020, 1, 1, 15, 0, 0, 500_000)),
        ("1950-06-01 10:00:00.5", dt.datetime(1950, 6, 1, 10, 0, 0, 500_000)),
    ],
)
def test_timestamps(text: str, moment: dt.datetime) -> None:
    assert read(text) == [since_epoch(moment)]


@pytest.mark.parametrize(
    ("text", "minutes"),
    [
        ("5", 5), ("-7.5", -7.5), ("1e2", 100), ("00:30", 30), ("100:00", 6000), ("-00:30", -30), ("+1:30", 90),
        ("00:00:30", 0.5), ("00:00:00.6", 0.01), ("1 day 02:00:00", 1560), ("1 day, 2:00:00", 1560), ("3 days", 4320),
        ("-1 day, 23:30:00", -30), ("-1 days +23:30:00", -30), ("-1 days -02:00:00", -1560), ("0 days 00:07:00", 7),
        ("01:00 PM", 780), ("12:30 AM", 30), ("12:30:30 pm", 750.5),
    ],
)  # fmt: skip
def test_numbers_and_durations(text: str, minutes: float) -> None:
    assert read(text, None) == pytest.approx([minutes, np.nan], nan_ok=True)


@settings(max_examples=15, deadline=None)
@given(
    moments=st.lists(
        st.datetimes(dt.datetime(1902, 1, 1), dt.datetime(2400, 1, 1)).map(lambda one: one.replace(microsecond=0)),
        min_size=1,
        max_size=20,
    ),
    form=st.sampled_from(
        ["%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y/%m/%d %I:%M:%S %p", "%Y-%m-%d %I:%M:%S%p", "zone"]
    ),
    shift=st.integers(-14 * 60, 14 * 60),
)
def test_every_moment_is_read_as_written(moments: list[dt.datetime], form: str, shift: int) -> None:
    zone = dt.timezone(dt.timedelta(minutes=shift))
    if form == "zone":
        texts = [moment.replace(tzinfo=dt.UTC).astimezone(zone).isoformat(" ") for moment in moments]
    else:
        texts = [moment.strftime(form).zfill(10) for moment in moments]
    assert read(*texts) == [since_epoch(moment) for moment in moments]


@pytest.mark.parametrize(
    "text",
    ["03/04/2020", "31.01.2020", "2020-01-01 25:00", "2020-01-01 10:60", "12:60", "1:5", "2020-02-30", "0000-01-01",
     "2020-01-01 13:00 PM", "2020-01-01 00:30 AM", "2020-01-01 10:00:00 Europe/Berlin", "2020-01-01 10:00:00 CET",
     "2020-01-01 10:00 PM+02:00", "12020-01-01", "0044-03-15 (BC)", "-0044-03-15", "2020-01-01 10", "1-Jan-2020",
     "01JAN2020:10:00:00", "2020-01-01T1000", "P1DT2H", "2020-01", "now", "epoch", "infinity", "NA", "5h", "10:30x",
     "2020-01-01 10:00:00,5", "13:00 PM", "2020-01-01 10:00:00 2", "1 day 25", "--5", "5-6", "2020-01/02", "1,000"],
)  # fmt: skip
def test_what_is_not_wholly_understood_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"column 't' has 1 times that cannot be read: .* \(id p0\); expected"):
        read(text)


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["5", "00:10"], r"'00:10' \(id p1\); expected numbers|'5' \(id p0\); expected hh:mm"),
        (["2020-01-01", "20200102"], "expected timestamps as in the other rows|expected numbers"),
        (["01:00 PM", "13:00"], r"1 of 2 times have AM or PM, e.g. '01:00 PM' \(id p0\), and the others none"),
        (["2020-01-01 01:00 PM", "2020-01-01 13:00"], "1 of 2 times have AM or PM"),
        (["2020-01-01 10:00Z", "2020-01-01 10:00"], "1 of 2 times have an offset from UTC"),
        (["2020-01-01 10:00+02:00", "2020-01-01"], "1 of 2 times have an offset from UTC"),
        (["20200101", "20191231"], r"read as dates, yyyymmdd \(20191231 to 20200101\), not minutes"),
        (["01012020", "31122019"], r"dates with the year last, ddmmyyyy or mmddyyyy \(1012020 to 31122019\)"),
        (["12312019", "1012020"], "neither minutes nor in the order of time"),
        (["inf", "5"], r"'inf' \(id p0\)"),
        (["1e300", "5"], r"1 numbers beyond 100 years of minutes"),
        (["20200101103000"], r"1 numbers beyond 100 years of minutes"),
        (["1577836800", "1577836900"], r"2 numbers beyond 100 years of .* \(1577836800 to 1577836900\).* to_timestamp"),
        (["1577836800000"], "beyond 100 years .* epoch_ms"),
        (["5", "999999999"], r"1 numbers beyond 100 years of minutes \(5 to 999999999\)"),
    ],
)  # fmt: skip
def test_forms_that_are_mixed_and_numbers_that_are_no_minutes(texts: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        read(*texts)


def test_dates_midnights_and_sentinels_are_counted() -> None:
    texts = ["2020-01-01", "2020-01-02 00:00:00", "2020-01-03 10:00", "9999-12-31", "1900-01-01", "1970-01-01"]
    _, times = read_texts(texts, "column 't'", list("abcdef"))
    assert (times.form, times.zoned, times.measured) == ("timestamp", False, 6)
    assert (times.dates, times.bare_dates, times.sentinels) == (5, 4, 3)
    with_am = ["2020-01-01", "2020-01-02 10:00 AM"]  # midnight needs no mark
    assert read_texts(with_am, "column 't'", ["a", "b"])[1].bare_dates == 1


def test_nothing_at_all() -> None:
    minutes, times = read_texts([None, None], "column 't'", ["a", "b"])
    assert np.isnan(minutes).all()
    assert times.measured == 0
