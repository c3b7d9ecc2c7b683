"""Warnings about hours of a window without any event: times in another zone than their origin's, or records that end.

A file in UTC beside origins in local time moves every event by the same hours. Where the window begins at the origin,
its first hours are then empty, or its last ones are where records end with the window.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from gdsfd.cohort.cohort import Cohort, EventObservations
from gdsfd.cohort.receipt.receipt import Finding
from gdsfd.errors import cell_text

__all__ = ["find_empty_hours"]

_HOUR = 60  #: minutes; the least that zones differ by, but for half hours of a few countries
_FEWEST, _OWN = 50, 20  #: patients with events before anything is said of all, and of an environment
_BESIDE = 0.3  #: share of the patients who begin (or end) within as long a time beside the empty one
_EXPECTED = 10.0  #: patients of an environment who would have events in its empty time
_ENVIRONMENTS = 50  #: the largest ones, which are looked at
_CAUSES = (
    "are times in another zone than their origins (UTC beside local time), or does the window not fit what was "
    "recorded?"
)

Steps = NDArray[np.int64]


def find_empty_hours(cohort: Cohort) -> list[Finding]:
    """A finding for each modality of events with an empty beginning or end of its window, of an hour and more.

    Of all patients together, where many begin (or end) right beside it; of an environment, where many others have
    events then. Patients count, not events, as those of one patient come together; so it takes no pass over the events.

    Args:
        cohort: The cohort.
    """
    found: list[Finding] = []
    for fields in cohort.schema.modalities:
        observed = cohort.observations[fields.name]
        if not isinstance(observed, EventObservations) or fields.window is None or fields.steps < 3:
            continue
        minutes = (fields.window[1] - fields.window[0]) / fields.steps
        ends = {
            "first": observed.step[observed.ptr[:-1]].astype(np.int64),
            "last": fields.steps - 1 - observed.step[observed.ptr[1:] - 1].astype(np.int64),
        }
        texts = []
        for where, away in ends.items():
            told = [*_of_all(away, where, fields.steps, minutes)]
            texts += told or [*_of_environments(cohort, observed.patient, away, where, minutes)]
        found += [Finding("time", fields.name, text) for text in texts[:3]]
    return found


def _of_all(away: Steps, where: str, steps: int, minutes: float) -> Iterator[str]:
    """Of all patients.

    Args:
        away: Empty steps of each patient at that end of the window.
        where: Which end.
        steps: Of the window.
        minutes: Of a step.
    """
    empty = int(away.min(initial=steps))
    beside = int((away < 2 * empty).sum())
    if len(away) >= _FEWEST and empty * minutes >= _HOUR and beside >= _BESIDE * len(away):
        stretch = _hours(empty * minutes)
        yield (
            f"no event of any patient is in the {where} {stretch} of the window's {_hours(steps * minutes)}, and "
            f"{beside:,} of {len(away):,} patients have one in the {stretch} beside them: {_CAUSES}"
        )


def _of_environments(cohort: Cohort, patient: Steps, away: Steps, where: str, minutes: float) -> Iterator[str]:
    if cohort.environment is None:
        return
    names, of_patient = np.unique(np.asarray(cohort.environment, dtype=str), return_inverse=True)
    owner = of_patient[patient]
    counts = np.bincount(owner, minlength=len(names))
    for number in np.argsort(-counts, kind="stable")[:_ENVIRONMENTS]:
        own, others = away[owner == number], away[owner != number]
        if len(own) < _OWN or len(others) < _FEWEST:
            continue
        empty = int(own.min())
        early = int((others < empty).sum())
        if empty * minutes >= _HOUR and early / len(others) * len(own) >= _EXPECTED:
            yield (
                f"none of the {len(own):,} patients of environment {cell_text(str(names[number]))} with events has one "
                f"in the {where} {_hours(empty * minutes)} of the window, and {early / len(others):.0%} of the others "
                f"have: {_CAUSES}"
            )


def _hours(minutes: float) -> str:
    return f"{minutes / 60:g} hours" if minutes >= 120 else f"{minutes:g} minutes"
