"""Timestamps counted by clock and calendar, against counting by hand."""

from __future__ import annotations

from typing import Any

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa

from gdsfd.cohort.times.stamp_counts import PLACE, StampCounts, count_stamps, with_parts
from gdsfd.cohort.times.time_column import look_at_times


def counted(stamps: Any, place: Any = None) -> tuple[dict[str, int], dict[int, StampCounts]]:
    connection = ibis.duckdb.connect()
    columns = {"stamp": pa.array(stamps, pa.timestamp("us"))}
    if place is not None:
        columns[PLACE] = pa.array(place, pa.int32())
    connection.con.register("rows", pa.table(columns))
    return count_stamps(with_parts(connection.table("rows")), connection.to_pyarrow)


def by_hand(stamps: list[pd.Timestamp]) -> StampCounts:
    timed = [stamp for stamp in stamps if stamp != stamp.normalize()]
    return StampCounts(
        len(stamps),
        len(stamps) - len(timed),
        sum(stamp.hour > 12 or stamp.hour == 0 for stamp in timed),
        sum(1 <= stamp.hour <= 5 for stamp in stamps),
        sum(stamp.day > 12 for stamp in stamps),
    )


def test_each_environment_is_counted_and_all_together() -> None:
    random = np.random.default_rng(0)
    minutes = random.integers(0, 500_000, 400) * np.where(random.random(400) < 0.2, 1440, 1)
    stamps = [pd.Timestamp("2150-01-01") + pd.Timedelta(int(minute), "min") for minute in minutes]
    places = random.integers(0, 3, 400)
    total, of_places = counted([*stamps, None], [*places, 1])
    for place in range(3):
        assert of_places[place] == by_hand([stamp for stamp, at in zip(stamps, places) if at == place])
    every = by_hand(stamps)
    assert every == sum(of_places.values(), StampCounts())
    assert (total["stamps"], total["dates"], total["beyond"]) == (400, every.dates, every.beyond_noon)
    assert counted([*stamps, None]) == (total, {})


def test_rows_without_an_environment_count_in_the_total_only() -> None:
    total, of_places = counted([pd.Timestamp("2150-01-13 14:00"), pd.Timestamp("1900-01-01 03:00")], [None, 4])
    assert total == {"stamps": 2, "dates": 0, "sentinels": 1, "beyond": 1, "early": 1, "late_days": 1}
    assert of_places == {4: StampCounts(1, 0, 0, 1, 0)}
    assert counted([], [])[0]["stamps"] == 0


def test_every_form_of_timestamps_is_counted_alike() -> None:
    plain = pd.date_range("2150-01-10 22:00", periods=40, freq="7h")
    forms = [plain, plain.strftime("%Y-%m-%d %H:%M:%S"), plain.strftime("%Y-%m-%d %I:%M:%S %p")]
    forms.append(plain.strftime("%Y-%m-%dT%H:%M:%SZ"))
    for stamps in forms:
        connection = ibis.duckdb.connect()
        frame = pd.DataFrame({"t": stamps, "own": "a", "at": np.arange(40, dtype=np.int32) % 2})
        connection.con.register("rows", frame)
        rows = connection.table("rows")
        times = look_at_times(rows.t, rows, connection.to_pyarrow, "column 't'", rows.own, place=rows["at"])
        assert dict(times.places) == {place: by_hand(list(plain[place::2])) for place in (0, 1)}, stamps[0]
