"""The one reader of times: what a column of times holds, and its times in minutes.

Every character of a text is understood or the text is no time. Four forms are read:

=========== ======================================================================================================
number      minutes: ``5``, ``7.9``, ``-3``
duration    ``hh:mm`` or ``hh:mm:ss`` (hours may exceed 24, a sign may stand before), with days before it
            (``1 day 02:00:00``), or days alone; the hour of the day with AM or PM (``01:00 PM`` is 13:00)
timestamp   ``2150-01-31`` or ``2150/01/31``, alone (midnight) or with ``hh:mm``, ``hh:mm:ss`` or ``hh:mm:ss.fff`` after
            a ``T`` or a blank, then nothing, AM or PM, or a zone: ``Z``, ``UTC``, ``+02:00``
=========== ======================================================================================================

Day first or month first (``03/04/2020``) and names of months or zones are not read: which is meant is not in the text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import ibis
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from gdsfd.cohort.sources.values import as_number
from gdsfd.cohort.times.forms import ANY_STAMP, DATE_ONLY, DURATION, HALF, HALF_CLOCK, HALF_END, STAMP, ZONE_END
from gdsfd.cohort.times.stamp_counts import PLACE, StampCounts, count_stamps, with_parts
from gdsfd.errors import InputError, cell_text, cut_text

__all__ = ["FORM_WORDS", "Times", "look_at_times", "minutes_of", "minutes_since", "read_texts"]

FORM_WORDS = {"number": "numbers", "duration": "hh:mm", "timestamp": "timestamps"}
#: Beyond this many minutes (100 years) a number is no time of a patient, but an epoch or a date in digits.
MOST_MINUTES = 100 * 365.25 * 1440


@dataclass(frozen=True)
class Times:
    """What a column of times holds.

    Args:
        form: ``number``, ``duration`` or ``timestamp``.
        measured: Cells that are not blank.
        zoned: Whether its timestamps have a zone.
        dates: Timestamps at midnight, among them dates without a time of day.
        bare_dates: Dates without a time of day.
        example: A cell.
        sentinels: Timestamps that stand for "none" in databases: years 1, 1899, 1900, 9999, the epoch's first day.
        beyond_noon: Timestamps that a clock of twelve hours has not: from 13:00 to 0:59, midnight left out.
        early: Timestamps from 1:00 to 5:59.
        lowest: The smallest number (form ``number``).
        highest: The largest number (form ``number``).
        plain: Whether it is text that the database itself reads as timestamps, every cell of it.
        clock: Whether all numbers read as hours and minutes of a day without a colon: ``930`` for 09:30.
        places: Number of an environment -> what its timestamps are, where environments were asked for.
    """

    form: str
    measured: int
    zoned: bool = False
    dates: int = 0
    bare_dates: int = 0
    example: str = ""
    sentinels: int = 0
    beyond_noon: int = 0
    early: int = 0
    lowest: float = 0.0
    highest: float = 0.0
    plain: bool = False
    clock: bool = False
    places: Mapping[int, StampCounts] = field(default_factory=dict)


def look_at_times(
    column: Any,
    rows: Any,
    fetch: Callable[[Any], Any],
    what: str,
    owner: Any,
    minutes: bool = True,
    place: Any = None,
) -> Times:
    """Finds the form of a column and makes sure that every cell is understood.

    Args:
        column: Ibis column.
        rows: Its table.
        fetch: Runs an expression.
        what: The column in words, for messages.
        owner: Column of ids, for messages.
        minutes: Whether numbers are minutes; else they only have an order, and may be anything.
        place: Column with the number of each row's environment; None = they are not told apart.

    Raises:
        InputError: A cell that is no time or of another form than the others, zones on some cells only, AM and PM on
            some only, numbers that cannot be minutes.
    """
    kind = column.type()
    if kind.is_boolean() or kind.is_nested() or kind.is_binary():
        raise InputError(f"{what} holds no times but values of the type {kind}; name a column of times")
    if kind.is_numeric():
        looked_at = _with_digits(rows.select(number=column.cast("float64")))
        counted = _facts(looked_at, fetch, measured=looked_at.number.count(), **_number_facts(looked_at))
        return _of_numbers(counted, what, minutes)
    if kind.is_timestamp() or kind.is_date():
        looked_at = with_parts(rows.select(stamp=column.cast("timestamp"), **_placed(place)))
        counted, places = count_stamps(looked_at, fetch)
        bare = counted["stamps"] if kind.is_date() else 0
        zoned = kind.is_timestamp() and kind.timezone is not None
        return _of_stamps(counted, counted["stamps"], zoned=zoned, bare_dates=bare, places=places)
    return _look_at_text(column, rows, fetch, what, owner, minutes, place)


def _of_numbers(counted: dict[str, Any], what: str, minutes: bool) -> Times:
    _check_numbers(counted, what, minutes)
    # of minutes two in five end in 60 to 99
    clock = counted["clock"] == counted["number"] and counted["last_two"] >= 45 and counted["highest"] >= 100
    return Times("number", counted["measured"], lowest=counted["lowest"], highest=counted["highest"], clock=bool(clock))


def _placed(place: Any) -> dict[str, Any]:
    return {} if place is None else {PLACE: place}


def _look_at_text(
    column: Any, rows: Any, fetch: Callable[[Any], Any], what: str, owner: Any, minutes: bool, place: Any
) -> Times:
    # Most columns are all numbers or all timestamps without a zone: known without the other forms' expressions.
    digits = _with_digits(rows.select(text=column, number=minutes_of(column, "number")))
    counted = _facts(digits, fetch, measured=digits.text.count(), **_number_facts(digits))
    if counted["number"] == counted["measured"]:
        return _of_numbers(counted, what, minutes)
    if not counted["number"]:
        plain = with_parts(rows.select(text=column, stamp=column.try_cast("timestamp"), **_placed(place)))
        seen, places = count_stamps(
            plain,
            fetch,
            read=(plain.text.re_search(STAMP) & (plain.year > 0)).sum(),
            bare=plain.text.re_search(DATE_ONLY).sum(),
        )
        if seen["read"] == counted["measured"]:
            first, bare = _first(column, rows, fetch, owner), seen["bare"]
            return _of_stamps(seen, seen["read"], bare_dates=bare, example=first, plain=True, places=places)
    return _look_at_mixed_text(column, rows, fetch, what, owner, counted, place)


def _look_at_mixed_text(
    column: Any, rows: Any, fetch: Callable[[Any], Any], what: str, owner: Any, numbers: dict[str, Any], place: Any
) -> Times:
    """What a text column holds that is neither all numbers nor all timestamps without a zone."""
    read = {form: minutes_of(column, form) for form in ("number", "duration")} | {"timestamp": _stamp(column)}
    parts = {"duration": read["duration"], "stamp": read["timestamp"]}
    looked_at = with_parts(rows.select(text=column, **parts, **_placed(place)))
    seen, places = count_stamps(
        looked_at,
        fetch,
        duration=looked_at.duration.count(),
        zones=(looked_at.stamp.notnull() & looked_at.text.re_search(ZONE_END)).sum(),
        bare=(looked_at.stamp.notnull() & looked_at.text.re_search(DATE_ONLY)).sum(),
        halves=looked_at.text.re_search(HALF_END).sum(),
    )
    counted = numbers | seen | {"timestamp": seen["stamps"]}
    measured = counted["measured"]
    form = max(read, key=lambda name: counted[name])
    if counted[form] < measured:
        listed, count = _cells(column, column.notnull() & read[form].isnull(), rows, fetch, owner)
        expected = f"{FORM_WORDS[form]} as in the other rows" if counted[form] else "minutes, hh:mm or ISO timestamps"
        raise InputError(
            f"{what} has {count} times that cannot be read: {listed}; expected {expected}. Correct them, leave them "
            "out with where, or derive a time: with 01/02/2020 day first, strptime(<column>__text, '%d/%m/%Y')"
        )
    times_of_day = measured - counted["bare"] if form == "timestamp" else measured
    for count, words, sign in (
        (counted["zones"], "an offset from UTC", ZONE_END),
        (counted["halves"], "AM or PM", HALF_END),
    ):
        if 0 < count < (measured if sign == ZONE_END else times_of_day):
            lacking, _ = _cells(column, column.notnull() & ~column.re_search(sign), rows, fetch, owner, 2)
            having, _ = _cells(column, column.re_search(sign), rows, fetch, owner, 1)
            raise InputError(
                f"{what}: {count} of {measured} times have {words}, e.g. {having}, and the others none, e.g. {lacking};"
                " write all alike"
            )
    return Times(
        form=form,
        measured=measured,
        zoned=counted["zones"] == measured,
        dates=counted["dates"],
        bare_dates=counted["bare"],
        example=_first(column, rows, fetch, owner),
        sentinels=counted["sentinels"],
        beyond_noon=counted["beyond"],
        early=counted["early"],
        places=places if form == "timestamp" else {},
    )


def minutes_of(column: Any, form: str) -> Any:
    """A column of numbers or durations as float64 minutes, null where a cell is none."""
    if form == "number":
        return as_number(column)
    if not column.type().is_string():
        return ibis.null("float64")
    days = column.re_extract(r"^([+-]?[0-9]+) day", 1).try_cast("float64").fill_null(0.0)
    hours = column.re_extract(r"([0-9]+):", 1).try_cast("float64").fill_null(0.0)
    minutes = column.re_extract(r":([0-9]{2})", 1).try_cast("float64").fill_null(0.0)
    seconds = column.re_extract(r":[0-9]{2}:([0-9.]+)", 1).try_cast("float64").fill_null(0.0)
    sign = ibis.cases((column.re_search(r"(?:^|[ ,])-[0-9]+:"), -1.0), else_=1.0)
    clock = hours * 60.0 + minutes + seconds / 60.0
    return ibis.cases(
        (column.re_search(HALF_CLOCK), clock + 60.0 * _to_24_hours(column)),
        (column.re_search(DURATION), days * 1440.0 + sign * clock),
    )


def minutes_since(column: Any, origin: Any, times: Times | None = None, origins: Times | None = None) -> Any:
    """Minutes between two columns of timestamps, to the microsecond and exact for whole seconds; float64.

    Args:
        column: Times.
        origin: What they are counted from.
        times: What the times' column holds, where that is known: plain text is read faster.
        origins: Likewise for the origin.
    """
    time = _stamp(column, times is not None and times.plain)
    start = _stamp(origin, origins is not None and origins.plain)
    return time.delta(start, unit="microsecond").cast("float64") / 6e7


def _stamp(column: Any, plain: bool = False) -> Any:
    """A column as timestamps (in UTC where they have a zone), null where a cell is none."""
    if not column.type().is_string():
        return column.cast("timestamp")
    if plain:
        return column.try_cast("timestamp")
    # The database would leave an offset, and AM and PM, out of account when it reads text as a timestamp.
    alike = column.re_replace(r" ?(?:z|UTC|GMT)$", "Z").re_replace(r" ?([+-][0-9]{2}):?([0-9]{2})$", r"\1:\2")
    zoned = alike.re_replace(r" ([+-][0-9]{2})$", r"\1").try_cast("timestamp('UTC')").cast("timestamp")
    as_written = column.re_replace(rf"{HALF}$", "").try_cast("timestamp")
    half = ibis.cases(
        (~column.re_search(r"[T ](?:0?[1-9]|1[0-2]):"), ibis.null("timestamp")),
        (_to_24_hours(column) > 0, as_written + ibis.interval(hours=12)),
        (_to_24_hours(column) < 0, as_written - ibis.interval(hours=12)),
        else_=as_written,
    )
    read = ibis.cases(
        (column.re_search(ZONE_END), zoned), (column.re_search(HALF_END), half), else_=column.try_cast("timestamp")
    )
    return ibis.cases((column.re_search(ANY_STAMP) & (read.year() > 0), read))


def _to_24_hours(column: Any) -> Any:
    """Hours to add to an hour of the 12-hour clock: 12 after noon, -12 between 12:00 AM and 01:00 AM."""
    after_noon, twelve = column.re_search(r"[Pp][Mm]$"), column.re_search(r"(?:^|[T ])12:")
    return ibis.cases((after_noon & ~twelve, 12), (~after_noon & twelve, -12), else_=0)


def read_texts(
    values: Sequence[str | None], what: str, owners: Sequence[str], minutes: bool = True
) -> tuple[NDArray[np.float64], Times]:
    """Reads times that are at hand as texts, with the same reader.

    Args:
        values: The texts; None = blank; [n].
        what: The column in words, for messages.
        owners: Ids, for messages; [n].
        minutes: As in :func:`look_at_times`.

    Returns:
        Minutes (of timestamps: since 1970), NaN where blank, float64 [n]; and what the column holds.

    Raises:
        InputError: As :func:`look_at_times`.

    Example:
        >>> minutes, times = read_texts(["12:30 AM", "01:00 PM", None], "column 't'", ["a", "b", "c"])
        >>> minutes.tolist(), times.form
        ([30.0, 780.0, nan], 'duration')
    """
    connection = ibis.duckdb.connect()
    try:
        stored = pa.table(
            {
                "row": pa.array(range(len(values)), pa.int64()),
                "time": pa.array(values, pa.string()),
                "owner": pa.array(owners, pa.string()),
            }
        )
        connection.con.register("times", stored)
        rows = connection.table("times")

        def fetch(expression: Any) -> pa.Table:
            return connection.to_pyarrow(expression)

        times = look_at_times(rows.time, rows, fetch, what, rows.owner, minutes)
        epoch = ibis.literal("1970-01-01").cast("timestamp")
        stamps = times.form == "timestamp"
        read = minutes_since(rows.time, epoch, times) if stamps else minutes_of(rows.time, times.form)
        found = fetch(rows.select("row", minutes=read).order_by("row"))["minutes"]
        return found.to_numpy(zero_copy_only=False).astype(np.float64), times
    finally:
        connection.disconnect()


def _facts(rows: Any, fetch: Callable[[Any], Any], **values: Any) -> dict[str, Any]:
    found = fetch(rows.aggregate(**values)).to_pylist()[0]
    return {
        name: 0 if value is None else value if isinstance(value, float) else int(value) for name, value in found.items()
    }


def _of_stamps(counted: dict[str, Any], measured: int, **facts: Any) -> Times:
    """Timestamps, with what :func:`count_stamps` counted of them."""
    return Times(
        "timestamp",
        measured,
        dates=counted["dates"],
        sentinels=counted["sentinels"],
        beyond_noon=counted["beyond"],
        early=counted["early"],
        **facts,
    )


def _with_digits(rows: Any) -> Any:
    """Rows with a column ``number``, and columns of what it is as digits: said once each, as in :func:`with_parts`."""
    # floor() makes int64, which infinity is not
    rows = rows.mutate(within=ibis.cases((rows.number.between(0, 1e8), rows.number)))
    rows = rows.mutate(whole=ibis.cases((rows.within == rows.within.floor(), rows.within.floor().cast("int64"))))
    rows = rows.mutate(
        dated=ibis.cases((rows.whole.between(18000101, 21991231), rows.whole)),
        late=ibis.cases((rows.whole.between(1011800, 31122199), rows.whole)),
        clock=ibis.cases((rows.whole.between(0, 2400), rows.whole)),
    )
    return rows.mutate(
        month=(rows.dated // 100) % 100,
        day=rows.dated % 100,
        first=rows.late // 1_000_000,
        second=(rows.late // 10_000) % 100,
        year=rows.late % 10_000,
        last_two=rows.clock % 100,
    )


def _number_facts(rows: Any) -> dict[str, Any]:
    """Of rows of :func:`_with_digits`: how many numbers, the extremes, those that cannot be minutes, that read as dates
    in digits, or as a clock's hhmm."""
    first, second = rows.first, rows.second
    named = (first.between(1, 31) & second.between(1, 12)) | (first.between(1, 12) & second.between(1, 31))
    return {
        "number": rows.number.count(),
        "lowest": rows.number.min(),
        "highest": rows.number.max(),
        "beyond": (rows.number.abs() > MOST_MINUTES).sum(),
        "digits": (rows.month.between(1, 12) & rows.day.between(1, 31)).sum(),
        "year_last": (named & rows.year.between(1800, 2199)).sum(),
        "clock": (rows.last_two < 60).sum(),
        "last_two": rows.last_two.max(),
    }


def _check_numbers(counted: dict[str, Any], what: str, minutes: bool) -> None:
    """Refuses numbers that cannot be minutes, and dates in digits that are not even in the order of time."""
    numbers, seen = counted["number"], f"({counted['lowest']:.15g} to {counted['highest']:.15g})"
    derive = "Derive minutes or a timestamp"
    if numbers and counted["year_last"] == numbers:
        raise InputError(
            f"{what} holds numbers that read as dates with the year last, ddmmyyyy or mmddyyyy {seen}: neither minutes "
            "nor in the order of time. Derive a timestamp, e.g. strptime(lpad(<column>__text, 8, '0'), '%d%m%Y')"
        )
    if not minutes:
        return
    if numbers and counted["digits"] == numbers:
        raise InputError(
            f"{what} holds numbers that read as dates, yyyymmdd {seen}, not minutes. {derive}, e.g. "
            "strptime(<column>__text, '%Y%m%d'), and name the origin"
        )
    if counted["beyond"]:
        raise InputError(
            f"{what} has {counted['beyond']} numbers beyond 100 years of minutes {seen}: seconds or milliseconds since "
            f"1970, or dates in digits, cannot be minutes. {derive}, e.g. to_timestamp(<column>) of seconds or "
            "epoch_ms(<column>) of milliseconds, and name the origin"
        )


def _first(column: Any, rows: Any, fetch: Callable[[Any], Any], owner: Any) -> str:
    """A cell with its id."""
    some = rows.filter(column.notnull()).select(cell=column, owner=owner)
    found = fetch(some.order_by("owner", "cell").limit(1)).to_pylist()  # the same one, whoever reads
    return f"{cell_text(found[0]['cell'])} (id {cut_text(str(found[0]['owner']))})" if found else ""


def _cells(
    column: Any, which: Any, rows: Any, fetch: Callable[[Any], Any], owner: Any, limit: int = 5
) -> tuple[str, int]:
    """The first few of some cells with their ids, and how many there are."""
    chosen = rows.filter(which.fill_null(False))
    found = fetch(chosen.select(cell=column, owner=owner).distinct().order_by("owner", "cell").limit(limit)).to_pylist()
    listed = ", ".join(f"{cell_text(row['cell'])} (id {cut_text(str(row['owner']))})" for row in found)
    return listed, int(fetch(chosen.aggregate(count=chosen.count())).to_pylist()[0]["count"])
