"""Times of rows: column, unit, origin, lag."""

from __future__ import annotations

import duckdb
import numpy as np
import pytest

from gdsfd.first_spec.times import guess_origin, guess_time, minutes_since_origin, stamp_sql, time_columns
from tests.first_spec.tables import facts_of, table_of

STAMPS = ["2150-01-01 10:00", "2150-01-01 12:00", "2150-01-02 10:00"]


def test_what_is_a_time():
    table = table_of(
        "t",
        observationoffset=[1, 2, 3],
        charttime=STAMPS,
        clock=["00:10", "00:20", "30:00"],
        sodium=[140, 141, 142],
        year=[2010, 2011, 2012],
        birth_date=["1950-01-01", "1951-01-01", "1952-01-01"],
        day1meds=[0, 1, 0],
        epoch_time=[10**12, 10**12 + 1, 10**12 + 2],
    )
    assert time_columns(table) == ["observationoffset", "charttime", "clock"]


@pytest.mark.parametrize(
    ("columns", "events", "best"),
    [
        ({"drugoffset": [1, 2, 3], "drugenteredoffset": [5, 6, 9]}, False, "drugenteredoffset"),
        ({"respchartoffset": [1, 2, 3], "respchartentryoffset": [5, 6, 9]}, True, "respchartoffset"),
        ({"starttime": STAMPS, "endtime": STAMPS}, False, "starttime"),
        ({"charttime": STAMPS, "storetime": STAMPS}, True, "charttime"),
        (
            {"drugorderoffset": [1, 2, 3], "drugstartoffset": [5, 6, 9], "drugstopoffset": [7, 8, 9]},
            False,
            "drugorderoffset",
        ),
        ({"collected_ts": STAMPS, "resulted_ts": STAMPS}, True, "collected_ts"),
    ],
)
def test_the_column_that_says_when_it_was_known(columns, events, best):
    guess = guess_time(table_of("t", **columns), events)
    assert guess.column == best
    assert "could also be" in " ".join(guess.notes)


def test_an_end_alone_is_no_time_of_a_row():
    assert guess_time(table_of("t", stoptime=STAMPS), False) is None
    assert guess_time(table_of("t", sodium=[1, 2, 3]), True) is None


@pytest.mark.parametrize(
    ("name", "factor", "cells", "minutes"),
    [
        ("offset_hours", 60.0, ["1", "2.5"], [60.0, 150.0]),
        ("study_day", 1440.0, ["0", "2"], [0.0, 2880.0]),
        ("LBDY", 1440.0, ["-7", "1", "3"], [-10080.0, 0.0, 2880.0]),
        ("time_seconds", 1 / 60, ["60", "90"], [1.0, 1.5]),
        ("minute", 1.0, ["5", "7"], [5.0, 7.0]),
    ],
)
def test_units_become_minutes_in_sql_and_here(name, factor, cells, minutes):
    table = table_of("t", **{name: cells})
    guess = guess_time(table, True)
    assert guess.factor == pytest.approx(factor)
    lags = minutes_since_origin(table, ["a"] * len(cells), name)
    assert lags.tolist() == pytest.approx(minutes)
    if guess.derive:
        values = ", ".join(f"({cell})" for cell in cells)
        sql = guess.derive[guess.column]
        found = [float(row[0]) for row in duckdb.sql(f'SELECT {sql} FROM (VALUES {values}) t("{name}")').fetchall()]
        assert found == pytest.approx(minutes)


def test_local_times_are_read_by_sql():
    facts = facts_of("Abnahme", ["31.01.2020 10:05", "01.02.2020 11:00"])
    sql, notes = stamp_sql(facts)
    row = duckdb.sql(f"SELECT {sql} FROM (SELECT '31.01.2020 10:05' AS \"Abnahme__text\")").fetchall()[0]
    assert str(row[0]) == "2020-01-31 10:05:00"
    assert not any("cannot be told" in note for note in notes)
    _, notes = stamp_sql(facts_of("d", ["01/02/2020", "03/04/2020"]))
    assert any("cannot be told" in note for note in notes)


def test_a_date_stands_in_where_the_time_is_blank():
    table = table_of(
        "t", chartdate=["2150-01-01", "2150-01-02", "2150-01-03"], charttime=["2150-01-01 10:00", None, None]
    )
    guess = guess_time(table, False, ["charttime"])
    assert guess.derive == {"chart_at": "COALESCE(charttime, CAST(chartdate AS TIMESTAMP) + to_seconds(86399))"}
    assert guess.column == "chart_at"


def test_the_origin_is_the_beginning_that_most_rows_follow():
    cohort = table_of("c", id=["a", "b"], dischtime=["2150-01-05 00:00", "2150-01-06 00:00"], begun=STAMPS[:2])
    rows = table_of("labs", at=["2150-01-01 11:00", "2150-01-01 13:30"])
    assert guess_origin(cohort, (), ["a", "b"], [(rows, ["a", "b"], "at")]) == "begun"
    assert guess_origin(cohort, ("BEGUN",)) == "begun"
    born = table_of("c", id=["a", "b"], birth_date=["1950-01-01", "1951-01-01"])
    assert guess_origin(born, (), ["a", "b"], []) is None
    lags = minutes_since_origin(rows, ["a", "b"], "at", {"a": STAMPS[0], "b": STAMPS[1]}, cohort.facts["begun"])
    assert np.allclose(lags, [60, 90])
    assert len(minutes_since_origin(rows, ["x", None], "at", {"a": STAMPS[0]}, cohort.facts["begun"])) == 0


def test_an_unknown_unit_is_doubted_aloud_where_minutes_would_be_few():
    hours = guess_time(table_of("t", time=["0.5", "12.25", "71.5"]), True)
    assert "the last row would come 1.2 hours after the beginning, and not all are whole: IF THESE ARE HOURS" in (
        " ".join(hours.notes)
    )
    assert "IF THESE" not in " ".join(guess_time(table_of("t", time=[0, 700, 2879]), True).notes)
    assert "IF THESE" not in " ".join(guess_time(table_of("t", minute=[0, 7, 20]), True).notes)
