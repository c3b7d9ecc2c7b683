"""Times of a modality's rows in minutes since their origin."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gdsfd.cohort.sources.internal_names import ENVIRONMENT, ID, origin_column
from gdsfd.cohort.spec import ModalitySpec
from gdsfd.cohort.times.steps import to_microseconds
from gdsfd.cohort.times.time_column import FORM_WORDS, Times, look_at_times, minutes_of, minutes_since
from gdsfd.errors import InputError

__all__ = ["Minutes", "read_minutes"]


@dataclass(frozen=True)
class Minutes:
    """Times in minutes.

    Args:
        expression: Each row's minutes since its origin, null where it has none.
        times: What the column of times holds.
        origin: What the origin's column holds; None without an origin.
    """

    expression: Any
    times: Times
    origin: Times | None


def read_minutes(matched: Any, rows: Any, modality: ModalitySpec, fetch: Callable[[Any], Any], label: str) -> Minutes:
    """Each row's time in minutes since its origin.

    The form is decided once per column, by what its rows (of patients in the cohort) hold
    (:mod:`gdsfd.cohort.times.time_column`). Timestamps need ``origin``; with ``origin`` numbers and
    durations are taken relative to the origin's. Timestamps with a zone are compared in UTC;
    their origin must then have one too.

    Args:
        matched: The rows of patients in the cohort, whose times must be readable; with their id, and the number of
            their environment where these are to be told apart.
        rows: The table that the expression is for, with the time and that of its origin.
        modality: The spec's entry.
        fetch: Runs an expression.
        label: The source, for messages.

    Raises:
        InputError: A time that is not wholly understood, timestamps without an origin, times and origins of different
            forms, or a zone on one side only.
    """
    column = modality.time or ""
    what = f"modality {modality.name!r}: column {column!r} of {label}"
    place = matched[ENVIRONMENT] if ENVIRONMENT in matched.columns else None
    times = look_at_times(matched[column], matched, fetch, what, matched[ID], place=place)
    if modality.origin is None:
        if times.form == "timestamp" and times.measured:
            raise InputError(f"{what} holds timestamps; name the cohort column they are counted from under 'origin'")
        return Minutes(to_microseconds(minutes_of(rows[column], times.form)), times, None)
    name = origin_column(modality.origin)
    origin_words = f"modality {modality.name!r}: column {modality.origin!r} of the cohort (origin {modality.origin!r})"
    origin = look_at_times(matched[name], matched, fetch, origin_words, matched[ID], place=place)
    if times.measured and origin.measured:
        _check_alike(times, origin, what, modality.origin)
    if "timestamp" in (times.form, origin.form):
        return Minutes(minutes_since(rows[column], rows[name], times, origin), times, origin)
    since = minutes_of(rows[column], times.form) - minutes_of(rows[name], origin.form)
    return Minutes(to_microseconds(since), times, origin)


def _check_alike(times: Times, origin: Times, what: str, name: str) -> None:
    if times.form != origin.form:
        raise InputError(
            f"{what} holds {FORM_WORDS[times.form]} but its origin {name!r} holds {FORM_WORDS[origin.form]}; both must "
            "be of one form"
        )
    if times.zoned != origin.zoned:
        sides = [(what, times), (f"its origin {name!r} in the cohort", origin)]
        (have, with_zone), (lack, _) = sides if times.zoned else sides[::-1]
        raise InputError(
            f"{have} holds timestamps with an offset from UTC, {with_zone.example or 'as the type of the column says'},"
            f" and {lack} holds none with one: hours would be lost. Write both with offsets, or both in the same local "
            "time without, e.g. derive = {local = \"timezone('Europe/Berlin', <column>)\"} of timestamps with one"
        )
