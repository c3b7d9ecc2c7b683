"""Times to an event and whether it happened, from the columns of a survival outcome."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gdsfd.cohort.keys.spellings import parse_scalar
from gdsfd.cohort.patients.outcome import values_of
from gdsfd.cohort.patients.outcome_values import OutcomeValues, declared_nowhere, value_rows
from gdsfd.cohort.receipt.receipt import Finding
from gdsfd.cohort.spec import SurvivalSpec
from gdsfd.errors import InputError, shown

__all__ = ["FollowUp", "check_durations", "read_follow_up"]

_FEWEST_NINES = 3  #: patients who share a time of nines
_MINUTES = ("minutes", "minute", "min")  #: what durations are read as


@dataclass
class FollowUp:
    """How long each patient was followed, and whether that ended with the event.

    Args:
        time: From the time of prediction to the event or the end of follow-up, in the spec's unit; NaN = unlabelled;
            float64 [N].
        event: 1 = the event happened at ``time``, 0 = censored, NaN = unlabelled; float32 [N].
        notes: On patients without either.
        findings: Warnings.
        values: Rows of the receipt's table ``outcome_values``.
    """

    time: NDArray[np.float64]
    event: NDArray[np.float32]
    notes: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    values: list[dict[str, Any]] = field(default_factory=list)

    def take(self, rows: NDArray[Any]) -> FollowUp:
        """That of some patients; int64 [n]."""
        return FollowUp(self.time[rows], self.event[rows], self.notes, self.findings, self.values)


def check_durations(outcome: SurvivalSpec, durations: Collection[str], label: str = "the cohort") -> None:
    """Refuses durations whose unit is said to be another than the minutes that they are read as.

    Args:
        outcome: The spec's outcome.
        durations: Columns that hold durations.
        label: The cohort's source, for the message.

    Raises:
        InputError: The column of the times holds durations, and ``unit`` is not minutes.
    """
    if outcome.time in durations and outcome.unit.strip().casefold() not in _MINUTES:
        unit = repr(outcome.unit) if outcome.unit else "not given"
        raise InputError(
            f"outcome {outcome.name!r}: column {outcome.time!r} of {label} holds durations (such as the difference of "
            f"two timestamps), which are read as minutes, and unit is {unit}. Say unit = 'minutes', or work out a "
            "number in the unit that you want with cohort.derive, e.g. date_diff('minute', begin, ending) / 1440.0 "
            "for days"
        )


def read_follow_up(
    outcome: SurvivalSpec,
    columns: Mapping[str, Sequence[str | None]],
    ids: Sequence[str],
    label: str = "the cohort",
    new: bool = False,
) -> FollowUp:
    """Reads the time and the event of every patient.

    A patient with neither is unlabelled; so is one whose event is a value of ``missing``.

    Args:
        outcome: The spec's outcome.
        columns: The cells of both columns as text, None = blank; each [N].
        ids: The patients' ids, for messages.
        label: The cohort's source, for messages.
        new: Whether these are new patients, among whom a declared value of the event may be that of nobody.

    Raises:
        InputError: A time that is no number, negative or infinite; an event that is no declared value; one of both
            without the other. Names column, ids and cells.
    """
    cells, times = columns[outcome.event], columns[outcome.time]
    values = values_of(outcome, cells, ids, label)
    _check_events(values, label)
    codes = np.array([np.nan if cell is None else values.class_of[cell] for cell in cells], dtype=np.float32)
    undeclared = codes < 0  # a value of 'missing'
    codes[undeclared] = np.nan
    where = f"outcome {outcome.name!r} (column {outcome.time!r} of {label})"
    time = _times(times, ids, where)
    passed_over = int(np.isfinite(time[undeclared]).sum())
    time[undeclared] = np.nan
    for rows, text, other in (
        (np.isnan(time) & np.isfinite(codes), "no time", f"an event ({outcome.event!r})"),
        (np.isfinite(time) & np.isnan(codes), "a time", f"no event ({outcome.event!r})"),
    ):
        if rows.any():
            raise InputError(
                f"{where}: {int(rows.sum()):,} patients have {text} but {other}, ids "
                f"{shown([ids[row] for row in np.flatnonzero(rows).tolist()])}. Give both, leave both blank for a "
                "patient without the outcome, or leave these patients out with cohort.where"
            )
    found = FollowUp(time, codes, values=value_rows(values))
    blank = int(np.isnan(time).sum()) - passed_over
    if blank:
        found.notes.append(f"outcome {outcome.name!r}: {blank:,} patients have no time and event and are unlabelled")
    if passed_over:
        found.findings.append(
            Finding(
                "labels",
                outcome.name,
                f"{passed_over:,} patients have a time, but an event that 'missing' says is not known: they are "
                "unlabelled, and their time is not used. If they are known to be free of the event until then, they "
                "are censored: give the value under negative",
                float(passed_over),
            )
        )
    if not new:
        found.findings += declared_nowhere(values)
    found.findings += _endings_without_event(cells, values, time, outcome)
    found.findings += _nines(time, outcome)
    at_once = int((time == 0).sum())
    if at_once:
        events = int((time[codes == 1] == 0).sum())
        found.findings.append(
            Finding(
                "labels",
                outcome.name,
                f"{at_once:,} patients have a time of 0, {events:,} of them with the event: the event fell on the time "
                "of prediction, or it is not known from when on times are counted. Those without the event say nothing "
                "and are unlabelled",
                float(at_once),
            )
        )
    return found


def _endings_without_event(
    cells: Sequence[str | None], values: OutcomeValues, time: NDArray[np.float64], outcome: SurvivalSpec
) -> list[Finding]:
    """Several values that count as censored: one of them may make the event impossible."""
    counts: Counter[str] = Counter()
    for cell, known in zip(cells, np.isfinite(time).tolist()):
        if cell is not None and known and values.class_of[cell] == 0:
            number = parse_scalar(cell.strip())
            counts[cell.strip().casefold() if number is None else f"{number:g}"] += 1
    if len(counts) < 2:
        return []
    told = ", ".join(f"{value} {count:,}" for value, count in counts.most_common(6))
    return [
        Finding(
            "labels",
            outcome.name,
            f"several values of {outcome.event!r} count as censored (patients: {told}). If one of them makes the event "
            "impossible, as death does for a readmission, it is a competing event: risks are then those of a world "
            "without it, and higher than what patients see. A risk of both together is right: give it under positive, "
            "too",
            float(sum(counts.values())),
        )
    ]


def _nines(time: NDArray[np.float64], outcome: SurvivalSpec) -> list[Finding]:
    """A warning where the longest times are all one number of nines, as a code for "not known" is."""
    known = time[np.isfinite(time)]
    longest = known.max() if len(known) else 0.0
    same = int((known == longest).sum())
    if same < _FEWEST_NINES or not re.fullmatch(r"9{3,}", f"{longest:.0f}") or longest % 1:
        return []
    text = f"the longest time, {longest:.0f}, is that of {same:,} patients: is it a code for a time that is not known?"
    return [Finding("labels", outcome.name, f"{text} Make it blank with cohort.derive, and the event too", float(same))]


def _times(cells: Sequence[str | None], ids: Sequence[str], where: str) -> NDArray[np.float64]:
    numbers = [None if cell is None else parse_scalar(cell) for cell in cells]
    time = np.array([np.nan if number is None else number for number in numbers], dtype=np.float64)
    there = np.array([cell is not None for cell in cells], dtype=bool)
    for rows, what in ((there & ~np.isfinite(time), "are no finite number"), (time < 0, "are negative")):
        wrong = np.flatnonzero(rows).tolist()
        if len(wrong):
            raise InputError(
                f"{where}: {len(wrong):,} times {what}: {shown([cells[row] for row in wrong])}, ids "
                f"{shown([ids[row] for row in wrong])}; expected numbers of 0 or more, in one unit, counted from the "
                "time of prediction. Work them out with cohort.derive, or leave these patients out with cohort.where"
            )
    return time


def _check_events(values: OutcomeValues, label: str) -> None:
    outcome = values.outcome
    if values.undeclared:
        raise InputError(
            f"outcome {outcome.name!r} (column {outcome.column!r} of {label}) holds "
            f"{values.listed(values.undeclared)}, e.g. id {values.example(values.undeclared[0])!r}; expected "
            f"{shown([*outcome.positive])} where the event happened and {shown([*outcome.negative])} where follow-up "
            "ended without it. Give other values as positive and negative, those that mean that nothing is known as "
            "missing"
        )
