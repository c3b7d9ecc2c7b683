"""The blocks of modalities: why a table is left out, and what is said of its columns."""

from __future__ import annotations

from pathlib import Path

import pytest

from gdsfd.errors import InputError
from gdsfd.first_spec.proposal import Request
from gdsfd.first_spec.propose import propose
from tests.first_spec.tables import table_of

ROWS = 60
STAYS = table_of(
    "stays",
    stay=range(1000, 1000 + ROWS),
    weight=[50.5 + k for k in range(ROWS)],
    los=[k % 9 for k in range(ROWS)],
    died=[0, 0, 1] * 20,
)
IDS = [1000 + k % ROWS for k in range(300)]
ITEM = [("na", "k", "ph")[k % 3] for k in range(300)]
VALUE = [k % 17 + 0.5 for k in range(300)]


def entries(*tables):
    made = propose([STAYS, *tables], Request("died"), Path("/exports"))
    return {entry.name: entry for entry in made.modalities}, made


def labs(name="labs", **more):
    return table_of(name, stay=IDS, item=ITEM, value=VALUE, **more)


def test_a_table_with_times_gets_a_window_and_one_without_is_left_out_beside_it():
    found, _ = entries(labs(minute=[k % 3000 for k in range(300)]), labs("late", other=VALUE))
    assert found["labs"].window == (0, 1440)
    assert found["labs"].left_out is None
    assert "no time" in found["late"].left_out


def test_where_nothing_has_times_nothing_is_left_out_for_it():
    found, made = entries(labs())
    assert found["labs"].left_out is None
    assert "no times that could be read" in " ".join(made.head)


def test_rows_that_all_come_later_and_tables_of_the_end():
    found, _ = entries(
        labs(minute=[5000 + k for k in range(300)]), labs("discharge_labs", minute=[k for k in range(300)])
    )
    assert found["labs"].left_out == "no row lies before the prediction"
    assert "end of the stay" in found["discharge_labs"].left_out


def test_timestamps_without_a_beginning_are_left_out():
    found, _ = entries(labs(charttime=["2150-01-01 10:00"] * 299 + ["2150-01-02"]))
    assert "need an origin" in found["labs"].left_out


def test_the_cohorts_own_columns_with_what_leaks_listed():
    found, _ = entries(labs())
    own = found["stays"]
    assert own.fields["columns"] == ["weight"]
    assert any("los: " in note for note in own.notes["columns"])
    with pytest.raises(InputError, match="--outcome none"):
        propose([STAYS], Request("none"), Path("/exports"))


def test_a_column_that_says_which_tables_a_patient_is_in_leaks():
    flags = table_of("flags", stay=range(1000, 1000 + ROWS), labs=[k % 2 for k in range(ROWS)], age=range(ROWS))
    found, _ = entries(labs(minute=[k % 3000 for k in range(300)]), flags)
    assert found["flags"].fields["columns"] == ["age"]
    assert any("rows in labs at any time" in note for note in found["flags"].notes["columns"])


def test_a_measurement_that_stands_apart_is_missing():
    wide = {f"v{k}": [-1 if row % 7 == 0 else row % 50 + 40 for row in range(300)] for k in ("a", "b", "c")}
    found, _ = entries(table_of("vitals", stay=IDS, minute=[k % 1400 for k in range(300)], **wide))
    assert found["vitals"].fields["values"] == ["va", "vb", "vc"]
    assert found["vitals"].fields["missing"] == [-1]


def test_dates_beside_a_beginning_with_a_time_of_day_count_as_the_end_of_their_day():
    """Else what bears the date of the day of the prediction would be let in, whenever it was recorded."""
    days = [f"2150-01-{k % 28 + 1:02d}" for k in range(ROWS)]
    fields = {"stay": range(1000, 1000 + ROWS), "died": [0, 0, 1] * 20}
    rows = {"stay": IDS, "item": ITEM, "value": VALUE, "day": [days[k % ROWS] for k in range(300)]}
    for begun, time in (([f"{day} 10:00" for day in days], "day_end"), (days, "day")):
        tables = [table_of("stays", admitted=begun, **fields), table_of("labs", **rows)]
        made = propose(tables, Request("died"), Path("/"))
        entry = next(entry for entry in made.modalities if entry.name == "labs")
        assert entry.fields["time"] == time
        assert entry.derive.get("day_end") == (
            "CAST(day AS TIMESTAMP) + to_seconds(86399)" if time == "day_end" else None
        )
    assert entry.left_out is None


def test_there_is_a_window_also_where_no_row_looked_at_can_be_placed():
    """The first rows of a large table may all be of patients who are not among the first of the cohort."""
    stays = table_of(
        "stays",
        stay=range(1000, 1000 + ROWS),
        admitted=[f"2150-01-{k % 28 + 1:02d} 10:00" for k in range(ROWS)],
        died=[0, 0, 1] * 20,
    )
    others = [5000 + k for k in range(280)] + IDS[:20]  # a few are known, but without a time
    at = ["2150-02-01 10:00"] * 280 + [None] * 20
    made = propose(
        [stays, table_of("labs", stay=others, item=ITEM, value=VALUE, charttime=at)], Request("died"), Path("/")
    )
    entry = next(entry for entry in made.modalities if entry.name == "labs")
    assert entry.window == (0, 1440)
    assert "no row looked at could be placed" in entry.notes["window"][0]


def test_a_column_that_tells_one_of_several_classes_apart_leaks():
    """Not only the first class is looked at."""
    stage = ["A", "B", "C"] * 40
    told = [100 + k % 5 if name == "C" else k % 7 for k, name in enumerate(stage)]
    stays = table_of("stays", stay=range(120), sodium=[140 + k % 11 for k in range(120)], told=told, stage=stage)
    made = propose([stays], Request("stage", classes=["A", "B", "C"]), Path("/exports"))
    taken = [name for entry in made.modalities for name in entry.fields["columns"]]
    assert taken == ["sodium"]
    assert any("told: it alone tells the classes apart" in note for note in made.modalities[0].notes["columns"])


def test_columns_that_leak_an_outcome_of_another_table():
    ill = [k % 3 == 0 for k in range(120)]
    stays = table_of(
        "stays",
        stay=range(120),
        sodium=[140 + k % 11 for k in range(120)],
        told=[9 + k % 2 if each else k % 4 for k, each in enumerate(ill)],
    )
    ends = table_of("ends", stay=range(120), status=["yes" if each else "no" for each in ill])
    made = propose([stays, ends], Request("status", cohort="stays"), Path("/exports"))
    own = next(entry for entry in made.modalities if entry.name == "stays")
    assert own.fields["columns"] == ["sodium"]
