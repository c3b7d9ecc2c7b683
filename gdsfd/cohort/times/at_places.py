"""Warnings about the times of one environment that are not as those elsewhere are: its clock, its dates, its zone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from gdsfd.cohort.receipt.receipt import Finding
from gdsfd.cohort.spec import EventsSpec, ModalitySpec
from gdsfd.cohort.times.minutes import Minutes
from gdsfd.cohort.times.stamp_counts import StampCounts
from gdsfd.cohort.times.time_column import Times
from gdsfd.errors import cell_text

__all__ = ["FEWEST", "PatientsAt", "find_clocks_at_places", "find_outside_at_places"]

FEWEST = 20  #: patients of an environment, for it to be judged by itself
_OTHERS = 50  #: the fewest patients, or timestamps, of all others
_DAY = 1440.0
_OF_A_CLOCK = 200  #: timestamps of an environment from which their hours and days are judged
_EARLY = 0.1  #: share of them before six o'clock, which mornings alone have not
_USUAL = 0.2  #: share of the others' timestamps that are after noon, or after the twelfth; about half and .6 expected
_MIDNIGHT = 0.9  #: share of an environment's timestamps at midnight from which they are taken for dates
_SOME, _HARDLY = 0.2, 0.02  #: shares of the patients of an environment, and of all others
_ZONES = 15 * 60.0  #: minutes that local time differs from UTC by, at most


@dataclass(frozen=True)
class PatientsAt:
    """Patients of an environment who have rows of a modality.

    Args:
        kept: With a row inside the window.
        lost: With a row outside.
        alone: With rows outside only.
        before: With a row before the window.
        earliest: Minutes of the first row outside.
    """

    kept: int = 0
    lost: int = 0
    alone: int = 0
    before: int = 0
    earliest: float = 0.0

    @property
    def having(self) -> int:
        """Those with any row."""
        return self.kept + self.alone


def find_clocks_at_places(
    modality: ModalitySpec, read: Minutes, names: Mapping[int, str], patients: Mapping[int, int]
) -> list[Finding]:
    """Warnings of environments whose timestamps are of a twelve-hour clock, dates only, or have day and month swapped.

    Args:
        modality: The spec's entry.
        read: Its times.
        names: Number of an environment -> its name.
        patients: Number of an environment -> its patients who have rows.
    """
    where = f"{modality.name}.{modality.time}"
    texts: list[str] = []
    for times, words in ((read.times, "times"), (read.origin, f"origins ({modality.origin!r})")):
        if times is None or len(times.places) < 2:
            continue
        large = {place for place in times.places if patients.get(place, 0) >= FEWEST}
        texts += _half_days(times, words, large, names)
        texts += _days_as_months(times, words, large, names)
        if _by_hour(modality, read):
            texts += _dates(times, words, large, names)
    return [Finding("time", where, text) for text in texts]


def _by_hour(modality: ModalitySpec, read: Minutes) -> bool:
    """Whether a time of day makes a difference: it moves a row to another step, or out of the window."""
    hours = read.origin is not None and read.origin.dates < read.origin.measured
    return (isinstance(modality, EventsSpec) and modality.bin < _DAY) or (hours and modality.window is not None)


def _half_days(times: Times, words: str, large: set[int], names: Mapping[int, str]) -> Iterator[str]:
    def odd(counts: StampCounts) -> bool:
        by_hour = counts.measured - counts.dates
        return not counts.beyond_noon and by_hour >= _OF_A_CLOCK and counts.early >= _EARLY * by_hour

    own, others = _apart(times, large, odd)
    by_hour = others.measured - others.dates
    if own and by_hour >= _OTHERS and others.beyond_noon >= _USUAL * by_hour:
        counts = times.places[own[0]]
        yield (
            f"all {counts.measured - counts.dates:,} {words} of {_named(own, names)} lie between 1:00 and 12:59, "
            f"{counts.early:,} of them before 6:00, and elsewhere {others.beyond_noon / by_hour:.0%} lie later: are "
            "they of a twelve-hour clock that lost its AM and PM? Half of them are then twelve hours off; export 24 "
            "hours"
        )


def _days_as_months(times: Times, words: str, large: set[int], names: Mapping[int, str]) -> Iterator[str]:
    own, others = _apart(times, large, lambda counts: not counts.late_days and counts.measured >= _OF_A_CLOCK)
    if own and others.measured >= _OTHERS and others.late_days >= _USUAL * others.measured:
        counts = times.places[own[0]]
        yield (
            f"none of the {counts.measured:,} {words} of {_named(own, names)} is after the twelfth of a month, and "
            f"elsewhere {others.late_days / others.measured:.0%} are: were day and month taken the other way round, "
            "and other dates left blank? Export year, month, day"
        )


def _dates(times: Times, words: str, large: set[int], names: Mapping[int, str]) -> Iterator[str]:
    own, others = _apart(
        times, large, lambda counts: counts.measured >= FEWEST and counts.dates >= _MIDNIGHT * counts.measured
    )
    if own and others.measured >= _OTHERS and others.dates < others.measured / 2:
        counts = times.places[own[0]]
        yield (
            f"{counts.dates:,} of {counts.measured:,} {words} of {_named(own, names)} are dates, or lie at midnight, "
            f"and elsewhere {others.dates / others.measured:.0%} do: they count as up to a day earlier than they were. "
            "Export times of day there, or take bin and window in days"
        )


def _apart(times: Times, large: set[int], odd: Callable[[StampCounts], bool]) -> tuple[list[int], StampCounts]:
    """The environments that are odd, the one with the most timestamps first, and counts of all others together."""
    own = [place for place in large if odd(times.places[place])]
    others = sum((counts for place, counts in times.places.items() if place not in own), StampCounts())
    return sorted(own, key=lambda place: (-times.places[place].measured, place)), others


def _named(own: list[int], names: Mapping[int, str]) -> str:
    more = len(own) - 1
    beside = f" (and {more:,} more like it)" if more else ""
    return f"environment {cell_text(names[own[0]])}{beside}"


def find_outside_at_places(
    modality: ModalitySpec, window: tuple[float, float], patients: Mapping[str, PatientsAt]
) -> list[Finding]:
    """A warning of environments whose patients have rows outside the window only, or before it, as others have not.

    Their clock counts in another unit or zone, their dates are another year's or have day and month the other way
    round; where both read as dates, that is so of some of their patients.

    Args:
        modality: The spec's entry.
        window: Start and end in minutes that rows were kept within.
        patients: Name of an environment -> its patients.
    """
    for text in (*_most_outside(window, patients), *_some_outside(window, patients), *_before(window, patients)):
        return [Finding("time", f"{modality.name}.{modality.time}", text)]
    return []


def _most_outside(window: tuple[float, float], patients: Mapping[str, PatientsAt]) -> Iterator[str]:
    own = {name for name, at in patients.items() if at.lost >= FEWEST and 2 * at.kept < at.lost}
    kept = sum(at.kept for name, at in patients.items() if name not in own)
    lost = sum(at.lost for name, at in patients.items() if name not in own)
    if not own or kept < FEWEST or 2 * kept < lost:  # of all alike it is said by itself
        return
    first = max(sorted(own), key=lambda name: patients[name].lost - patients[name].kept)
    yield (
        f"in {cell_text(first)} {patients[first].lost:,} patients have rows outside the window of {window[0]:g} to "
        f"{window[1]:g} minutes, and only {patients[first].kept:,} have any within; elsewhere {kept:,} have"
        f"{_alike(own)}. Are its times in another unit or zone, or its dates of another year or with day and month the "
        "other way round?"
    )


def _some_outside(window: tuple[float, float], patients: Mapping[str, PatientsAt]) -> Iterator[str]:
    own = {name for name, at in patients.items() if at.alone >= max(FEWEST, _SOME * at.having)}
    having, alone = _others(patients, own, "alone")
    if not own or having < _OTHERS or alone > _HARDLY * having:
        return
    first = max(sorted(own), key=lambda name: patients[name].alone)
    yield (
        f"in {cell_text(first)} {patients[first].alone:,} of {patients[first].having:,} patients with rows have them "
        f"outside the window of {window[0]:g} to {window[1]:g} minutes only, and elsewhere {alone:,} of {having:,}"
        f"{_alike(own)}. Are day and month the other way round there where a date can be read so, or origins of "
        "another stay?"
    )


def _before(window: tuple[float, float], patients: Mapping[str, PatientsAt]) -> Iterator[str]:
    own = {
        name
        for name, at in patients.items()
        if at.before >= max(FEWEST, _SOME * at.having) and at.earliest >= window[0] - _ZONES
    }
    having, before = _others(patients, own, "before")
    if not own or having < _OTHERS or before > _HARDLY * having:
        return
    first = max(sorted(own), key=lambda name: patients[name].before)
    at = patients[first]
    yield (
        f"in {cell_text(first)} {at.before:,} of {at.having:,} patients with rows have some up to "
        f"{(window[0] - at.earliest) / 60:.1f} hours before the window, and elsewhere {before:,} of {having:,}"
        f"{_alike(own)}: are its times in another zone than their origins (UTC beside local time), by whole hours?"
    )


def _others(patients: Mapping[str, PatientsAt], own: set[str], what: str) -> tuple[int, int]:
    others = [at for name, at in patients.items() if name not in own]
    return sum(at.having for at in others), sum(getattr(at, what) for at in others)


def _alike(own: set[str]) -> str:
    return f", and {len(own) - 1:,} more environments are like that" if len(own) > 1 else ""
