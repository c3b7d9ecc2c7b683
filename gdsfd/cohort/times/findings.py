"""Warnings of times that were read, but that are probably not meant as they are."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from gdsfd.cohort.receipt.receipt import Finding
from gdsfd.cohort.spec import EventsSpec, ModalitySpec
from gdsfd.cohort.times.minutes import Minutes
from gdsfd.cohort.times.time_column import Times

__all__ = ["find_one_step", "find_time_doubts"]

_DAY = 1440.0
_OF_A_CLOCK = 200  #: times, none from 13:00 to 0:59, that are doubted
_EARLY = 0.1  #: share of them before six o'clock, which mornings alone have not
_ENOUGH = 20  #: times below which nothing is said of how they are distributed
_AT_MIDNIGHT = 0.05  #: share of times at midnight from which they are taken for dates; 1 of 1,440 is expected
#: What follows from dates beside origins with a time of day.
_LET_IN = (
    " One of the day on which the window ends counts as before that end, also where it was recorded after it; derive "
    "the end of its day to leave it out: CAST(<column> AS TIMESTAMP) + to_seconds(86399)"
)
_EXCEL_DAYS = (30_000.0, 73_050.0)  #: the years 1982 to 2100 as a spreadsheet counts days
_YEARS = (1900.0, 2100.0)
#: Of a window of a day a fifth is 288 minutes: twelve days of hours that are taken for minutes lie within.
_HOURS_LIKE = 5


def find_time_doubts(
    modality: ModalitySpec, read: Minutes, window: tuple[float, float] | None, kept: int, lost: int
) -> Iterator[Finding]:
    """Warnings of one modality's times.

    Args:
        modality: The spec's entry.
        read: Its times.
        window: Start and end in minutes that rows were kept within.
        kept: Patients with a kept row.
        lost: Patients with a row outside the window.
    """
    where = f"{modality.name}.{modality.time}"
    for text in (
        *_outside(window, kept, lost),
        *_dates(modality, read, window),
        *_half_days(modality, read),
        *_placeholders(modality, read),
        *_clock(read.times),
        *(_numbers(read.times, window) if read.origin is None else ()),
    ):
        yield Finding("time", where, text)


def find_one_step(modality: EventsSpec, step: NDArray[np.integer], steps: int, patients: int) -> Iterator[Finding]:
    """A warning when all events of several patients are in one step; of elapsed time the value says when it was.

    Args:
        modality: The spec's entry.
        step: The steps of the observations.
        steps: Steps that there are.
        patients: Patients with events.
    """
    one = len(step) > 1 and patients > 1 and step.min() == step.max()
    if modality.time is not None and modality.elapsed is None and one and (steps > 1 or modality.window is None):
        yield Finding(
            "time",
            f"{modality.name}.{modality.time}",
            f"the events of all {patients:,} patients are in one step of {modality.bin:g} minutes: are times in hours "
            "or days instead of minutes, or dates without a time of day? derive minutes, or set bin and window to "
            "their unit",
        )


def _outside(window: tuple[float, float] | None, kept: int, lost: int) -> Iterator[str]:
    if window is None or not lost or 2 * kept >= lost:
        return
    who = "no patient has" if not kept else f"{lost:,} patients have rows outside the window, and only {kept:,} have"
    yield (
        f"{who} a row within {window[0]:g} to {window[1]:g} minutes. Check the unit of the window, the origin, and "
        "whether times lie before the origin (negative)"
    )


def _dates(modality: ModalitySpec, read: Minutes, window: tuple[float, float] | None) -> Iterator[str]:
    times, origin = read.times, read.origin
    if times.form != "timestamp" or not times.measured or origin is None:
        return
    hours = origin.dates < origin.measured
    days = ""
    if hours and window:
        days = " A row of the origin's own day counts as before it." if window[0] > -_DAY else ""
        days += _LET_IN
    if times.dates == times.measured:
        if times.measured >= _ENOUGH and (days or (isinstance(modality, EventsSpec) and modality.bin < _DAY)):
            yield f"all {times.measured:,} times are dates without a time of day and count from midnight.{days}"
    elif times.bare_dates:
        yield (
            f"{times.bare_dates:,} of {times.measured:,} times are dates without a time of day and count from "
            f"midnight.{days}"
        )
    elif days and times.dates >= max(_ENOUGH, _AT_MIDNIGHT * times.measured):
        yield (
            f"{times.dates:,} of {times.measured:,} times lie at midnight exactly, as dates do that became "
            f"timestamps.{days}"
        )
    steps = window is not None or (isinstance(modality, EventsSpec) and modality.bin < _DAY)
    if origin.bare_dates and origin.bare_dates == origin.measured and times.dates < times.measured / 2 and steps:
        yield (
            f"all origins ({modality.origin!r}) are dates without a time of day and count from midnight, while times "
            "have one: what happened earlier on that day counts as after the origin, by up to a day"
        )
    elif origin.bare_dates and origin.bare_dates != origin.measured:
        yield (
            f"{origin.bare_dates:,} of {origin.measured:,} origins ({modality.origin!r}) are dates without a time of "
            "day and count from midnight"
        )


def _half_days(modality: ModalitySpec, read: Minutes) -> Iterator[str]:
    for times, words in ((read.times, "times"), (read.origin, f"origins ({modality.origin!r})")):
        if times is None or times.form != "timestamp" or times.beyond_noon:
            continue
        by_hour = times.measured - times.dates
        if by_hour >= _OF_A_CLOCK and times.early >= _EARLY * by_hour:
            yield (
                f"all {by_hour:,} {words} lie between 1:00 and 12:59, {times.early:,} of them before 6:00: are they of "
                "a twelve-hour clock that lost its AM and PM? Half of them are then twelve hours off; export 24 hours"
            )


def _placeholders(modality: ModalitySpec, read: Minutes) -> Iterator[str]:
    for times, words in ((read.times, "times"), (read.origin, f"origins ({modality.origin!r})")):
        if times is not None and 0 < 2 * times.sentinels < times.measured:
            yield (
                f"{times.sentinels:,} of {times.measured:,} {words} look like placeholders for none (years 1, 1899, "
                "1900 and 9999, or 1970-01-01); blank them with derive"
            )


def _clock(times: Times) -> Iterator[str]:
    if times.clock and times.measured >= _ENOUGH:
        yield (
            f"all {times.measured:,} times are numbers whose last two digits are below 60, up to {times.highest:g}: "
            "are they hours and minutes without a colon, 930 for 09:30? They are read as minutes; if so, derive "
            "(t // 100) * 60 + t % 100"
        )


def _numbers(times: Times, window: tuple[float, float] | None) -> Iterator[str]:
    if times.form != "number" or times.measured < _ENOUGH:
        return
    seen = f"all {times.measured:,} times lie between {times.lowest:g} and {times.highest:g}"
    if _EXCEL_DAYS[0] <= times.lowest and times.highest <= _EXCEL_DAYS[1]:
        yield f"{seen}: are they days as a spreadsheet counts them? Times are minutes; derive them"
    elif _YEARS[0] <= times.lowest and times.highest <= _YEARS[1]:
        yield f"{seen}: are they years? Times are minutes; derive them"
    elif window and times.lowest >= 0 and times.highest <= window[1] / _HOURS_LIKE:
        yield (
            f"{seen}, in the first fifth of the window of {window[0]:g} to {window[1]:g} minutes: are they hours or "
            "days? Times are minutes; derive them"
        )
