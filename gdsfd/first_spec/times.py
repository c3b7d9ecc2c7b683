"""When rows were recorded: which column says it, in which unit, counted from what."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from gdsfd.cohort.sources.sql_text import string_literal
from gdsfd.errors import shown
from gdsfd.first_spec.column_facts import ColumnFacts
from gdsfd.first_spec.sample import ExportTable
from gdsfd.first_spec.sql_names import sql_name
from gdsfd.first_spec.words import folded, says

__all__ = ["TimeGuess", "guess_origin", "guess_time", "minutes_since_origin", "stamp_sql", "time_columns"]

_UNITS = {"minutes": 1.0, "hours": 60.0, "days": 1440.0, "seconds": 1 / 60}
#: Twelve days of hours, or most of a year of days, taken for minutes: then the unit is doubted aloud.
_FEW_MINUTES = 300.0
_MINUTES_OF_100_YEARS = 100 * 365.25 * 1440


@dataclass
class TimeGuess:
    """A table's time.

    Args:
        column: The column, or the name of one that is derived.
        read: The columns of the export that it is made of.
        derive: Name -> SQL of what has to be derived for it.
        form: ``"number"``, ``"duration"`` or ``"timestamp"``, as the reader of times will see it.
        factor: Minutes per unit, of numbers.
        notes: Why, and what else it could be.
    """

    column: str
    read: tuple[str, ...]
    derive: dict[str, str] = field(default_factory=dict)
    form: str = "timestamp"
    factor: float = 1.0
    notes: list[str] = field(default_factory=list)


def time_columns(table: ExportTable) -> list[str]:
    """The columns that hold times: points in time and durations by their cells, numbers by their name as well."""
    found = []
    for name, facts in table.facts.items():
        numeric = facts.is_number and says(name, "time") and not facts.leading_zeros and not says(name, "unit")
        numeric = numeric and max(abs(facts.lowest), abs(facts.highest)) < _MINUTES_OF_100_YEARS and facts.distinct > 1
        years = facts.is_number and facts.integers and facts.lowest >= 1800 and facts.highest <= 2200
        if (facts.is_time or facts.form == "duration" or (numeric and not years)) and not says(name, "birth"):
            found.append(name)
    return found


def guess_time(
    table: ExportTable, events: bool, preferred: Sequence[str] = (), never: Sequence[str] = ()
) -> TimeGuess | None:
    """Chooses the time of a table's rows.

    Values count from when they were observed; what somebody wrote down (codes) from when it was written, where the
    table has that.

    Args:
        table: The table.
        events: Whether its rows are values.
        preferred: Columns that a known layout names.
        never: Columns that are no times of rows.
    """
    candidates = [name for name in time_columns(table) if name not in never]
    if not candidates:
        return None
    known = [name for name in candidates if name.casefold() in {other.casefold() for other in preferred}]
    best = max(known or candidates, key=lambda name: (_score(table.facts[name], events), -candidates.index(name)))
    if not known and says(best, "end"):  # when something ends is known, but not when it was recorded
        return None
    guess = _as_guess(table, best)
    others = [name for name in candidates if name != best]
    guess.notes.insert(0, "known of this layout" if known else _why(best, events))
    if others:
        guess.notes.append(f"it could also be {shown(others, 4)}")
    _fill_gaps(guess, table, best, others)
    return guess


def _score(facts: ColumnFacts, events: bool) -> float:
    name = facts.name
    score = 2.0 * (facts.filled / max(facts.rows, 1)) + 1.0 * says(name, "time") + 0.5 * (facts.clock and facts.is_time)
    score += (1.5 if not events else -0.5) * says(name, "entered")
    score += 0.5 * bool(re.search(r"order|chart|observ|collect|taken|drawn|abnahme|entnahme", folded(name)))
    score += 0.5 * facts.distinct / max(facts.filled, 1)
    score -= 0.3 * bool(re.search(r"entry", folded(name)))
    return score - 4.0 * says(name, "end") - 1.5 * says(name, "stored") - 0.5 * (facts.distinct == 1)


def _why(name: str, events: bool) -> str:
    if says(name, "entered") and not events:
        return "when it was written down: a thing of years ago that is typed in on day five is known on day five"
    return "when it was observed, by its name"


def _as_guess(table: ExportTable, name: str) -> TimeGuess:
    facts = table.facts[name]
    if facts.form == "timestamp":
        notes = [] if facts.clock else ["it has dates without a time of day"]
        return TimeGuess(name, (name,), notes=notes)
    if facts.form == "local time":
        sql, notes = stamp_sql(facts)
        return TimeGuess(name, (name,), {name: sql}, notes=notes)
    if facts.form == "duration":
        return TimeGuess(name, (name,), form="duration")
    unit, sure = _unit(facts)
    factor = _UNITS[unit]
    notes = [f"taken for {unit}" + (" by its name" if sure else f": nothing says so; check it{_reach(facts)}")]
    if factor == 1.0:
        return TimeGuess(name, (name,), form="number", notes=notes)
    derived = f"{folded(name).replace(' ', '_')}_minutes"
    number = f"{factor:g} * {sql_name(name)}" if factor > 1 else f"{sql_name(name)} / 60"
    if _is_study_day(name):
        number = f"1440 * ({sql_name(name)} - CASE WHEN {sql_name(name)} > 0 THEN 1 ELSE 0 END)"
        notes.append("day 1 is the first day, and there is no day 0, as in study data")
    return TimeGuess(derived, (name,), {derived: number}, "number", factor, notes)


def _reach(facts: ColumnFacts) -> str:
    """What numbers of an unknown unit would mean: the last of a stay is seldom within its first hours."""
    if not 0 < facts.highest <= _FEW_MINUTES:
        return ""
    clock = ", and not all are whole" if not facts.integers else ""
    return (
        f". As minutes the last row would come {facts.highest / 60:.1f} hours after the beginning{clock}: IF THESE ARE "
        f"HOURS OR DAYS, what comes after the prediction is let in; then derive 60 or 1440 times {facts.name}"
    )


def _is_study_day(name: str) -> bool:
    return _counts_days(name) and re.search(r"dy$", folded(name)) is not None


def _counts_days(name: str) -> bool:
    return says(name, "days") and not says(name, "hours")


def _unit(facts: ColumnFacts) -> tuple[str, bool]:
    for unit in ("hours", "days", "seconds", "minutes"):
        if says(facts.name, unit):
            return unit, True
    return "minutes", False


def stamp_sql(facts: ColumnFacts) -> tuple[str, list[str]]:
    """SQL that reads a column of local dates as timestamps, and what to say of it.

    Args:
        facts: The column.
    """
    pattern = facts.pattern or "%Y-%m-%d"
    text = sql_name(f"{facts.name}__text")
    notes = [f"read as {pattern}"]
    if not facts.sure:
        notes.append(
            "day and month cannot be told apart in the rows looked at; if it is the other way round, change it"
        )
    if not facts.clock:
        notes.append("it has dates without a time of day")
    return f"strptime({text}, {string_literal(pattern)})", notes


def _fill_gaps(guess: TimeGuess, table: ExportTable, best: str, others: Iterable[str]) -> None:
    """Where the time is blank in some rows and a date of the same thing is not, the date stands in."""
    facts = table.facts[best]
    if facts.form != "timestamp" or facts.filled > 0.99 * facts.rows:
        return
    stem = re.sub(r"\s*(date)?time$", "", folded(best))
    for name in others:
        other = table.facts[name]
        if other.form == "timestamp" and other.filled > facts.filled and folded(name).startswith(stem) and stem:
            derived = f"{stem.replace(' ', '_')}_at"
            guess.column, guess.read = derived, (best, name)
            # a date alone counts as the end of its day: nobody knows that the row was there before the prediction
            stands_in = sql_name(name) if other.clock else f"CAST({sql_name(name)} AS TIMESTAMP) + to_seconds(86399)"
            guess.derive = {derived: f"COALESCE({sql_name(best)}, {stands_in})"}
            guess.notes.append(
                f"{best} is blank in {facts.rows - facts.filled:,} of {facts.rows:,} rows; {name} stands in"
            )
            return


def guess_origin(
    cohort: ExportTable,
    preferred: Sequence[str] = (),
    ids: Sequence[str | None] = (),
    events: Sequence[tuple[ExportTable, Sequence[str | None], str]] = (),
) -> str | None:
    """The column of the cohort table that times are counted from: the beginning of the stay.

    Args:
        cohort: The cohort table.
        preferred: Columns that a known layout names.
        ids: The patient id of each row of it.
        events: Tables of rows with the patient id of each row and their time: what most of them follow is the
            beginning.
    """
    stamps = [name for name in cohort.columns if cohort.facts[name].is_time and not says(name, "birth")]
    known = [name for name in stamps if name.casefold() in {other.casefold() for other in preferred}]
    if known:
        return known[0]
    usable = [name for name in stamps if cohort.facts[name].filled > 0.9 * cohort.rows.num_rows]

    def score(name: str) -> tuple[float, int]:
        starts = dict(zip(ids, cohort.cells(name)))
        lags = [minutes_since_origin(*event, starts, cohort.facts[name]) for event in events[:6]]
        known_lags = np.concatenate([lag for lag in lags if len(lag)] or [np.zeros(0)])
        after = float(((known_lags >= -2 * 1440) & (known_lags < 60 * 1440)).mean()) if len(known_lags) else 0.0
        return 2.0 * says(name, "start") - 3.0 * says(name, "end") + after, -stamps.index(name)

    best = max(usable, key=score, default=None)
    return best if best is not None and score(best)[0] > 0 else None


def minutes_since_origin(
    table: ExportTable,
    owners: Sequence[str | None],
    time: str,
    starts: Mapping[str | None, str | None] | None = None,
    begun: ColumnFacts | None = None,
    most: int = 5_000,
) -> NDArray[np.float64]:
    """Minutes of some rows of a table since the origin, those that can be told; float64 [n].

    Args:
        table: The table.
        owners: The patient id of each row.
        time: Its column of times.
        starts: Patient id -> cell of the origin; None = the times are minutes or durations.
        begun: What the origin's column holds.
        most: The most rows looked at, spread over the table.
    """
    step = max(table.rows.num_rows // most, 1)
    times = table.cells(time)[::step]
    facts = table.facts[time]
    if starts is None or begun is None or not facts.is_time:
        factor = _UNITS[_unit(facts)[0]] if facts.is_number else 1.0
        read = [_number(cell, facts, factor) for cell in times]
        return np.asarray([value for value in read if value is not None])
    minutes = []
    for owner, cell in zip(owners[::step], times):
        first, at = _stamp(starts.get(owner), begun), _stamp(cell, facts)
        if first is not None and at is not None and (first.tzinfo is None) == (at.tzinfo is None):
            minutes.append((at - first).total_seconds() / 60)
    return np.asarray(minutes)


def _number(cell: str | None, facts: ColumnFacts, factor: float) -> float | None:
    if cell is None:
        return None
    if facts.is_number:
        value = float(cell)
        return factor * (value - 1 if _is_study_day(facts.name) and value > 0 else value)
    found = re.search(r"(-?)(\d+):(\d{2})", cell)
    return None if not found else (-1 if found[1] else 1) * (60.0 * int(found[2]) + int(found[3]))


def _stamp(cell: str | None, facts: ColumnFacts) -> datetime | None:
    if cell is None:
        return None
    try:
        return (
            datetime.strptime(cell, facts.pattern) if facts.pattern else datetime.fromisoformat(cell.replace("/", "-"))
        )
    except ValueError:
        return None
