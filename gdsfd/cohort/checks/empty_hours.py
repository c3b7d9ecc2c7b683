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
_FEWEST = 50  #: patients with events before anything is said of all
_OWN = 20  #: patients with events of an environment
_EXPECTED = 30.0  #: events that would be in the empty stretch; none instead is no chance, also of events in clusters
_MOST_CELLS = 10_000_000  #: of the table of environments and steps
_PIECE = 1 << 22  #: events that are counted together
_CAUSES = (
    "are times in another zone than their origins (UTC beside local time), or does the window not fit what was "
    "recorded?"
)

Counts = NDArray[np.int64]


def find_empty_hours(cohort: Cohort) -> list[Finding]:
    """A finding for each modality of events with an empty beginning or end of its window, of an hour and more.

    Of all patients together, where the rest of the window has events all along; of an environment, where the others
    have events then.

    Args:
        cohort: The cohort.
    """
    found: list[Finding] = []
    for fields in cohort.schema.modalities:
        observed = cohort.observations[fields.name]
        if not isinstance(observed, EventObservations) or fields.window is None or fields.steps < 3:
            continue
        minutes = (fields.window[1] - fields.window[0]) / fields.steps
        texts = [*_of_all(observed, fields.steps, minutes), *_of_environments(cohort, observed, fields.steps, minutes)]
        found += [Finding("time", fields.name, text) for text in texts[:3]]
    return found


def _of_all(observed: EventObservations, steps: int, minutes: float) -> Iterator[str]:
    counts = _counts(observed, np.zeros(len(observed.patient), np.int64), 1, steps)[0]
    if len(observed.patient) < _FEWEST or not counts.any():
        return
    first, last = np.flatnonzero(counts)[[0, -1]]
    inside = counts[first : last + 1]
    if (inside == 0).any():  # rounds at fixed times, or few events
        return
    for empty, where in ((first, "first"), (steps - 1 - last, "last")):
        if empty * minutes >= _HOUR and empty * inside.mean() >= _EXPECTED and inside.min() * empty >= _EXPECTED:
            yield (
                f"no event of any patient is in the {where} {_hours(empty * minutes)} of the window's "
                f"{_hours(steps * minutes)}, and all {len(inside):,} other steps have some: {_CAUSES}"
            )


def _of_environments(cohort: Cohort, observed: EventObservations, steps: int, minutes: float) -> Iterator[str]:
    if cohort.environment is None:
        return
    names, of_patient = np.unique(np.asarray(cohort.environment, dtype=str), return_inverse=True)
    if len(names) < 2 or len(names) * steps > _MOST_CELLS:
        return
    owner = of_patient[observed.patient]
    counts, patients = _counts(observed, owner, len(names), steps), np.bincount(owner, minlength=len(names))
    total = counts.sum(0)
    for number in np.argsort(-patients, kind="stable"):
        if patients[number] < _OWN:
            return
        own, others = counts[number], total - counts[number]
        if not own.any() or not others.any():
            continue
        share = others / others.sum()
        first, last = np.flatnonzero(own)[[0, -1]]
        for part, where in ((slice(0, first), "first"), (slice(last + 1, steps), "last")):
            empty = len(range(*part.indices(steps)))
            if empty * minutes >= _HOUR and share[part].sum() * own.sum() >= _EXPECTED:
                yield (
                    f"none of the {int(own.sum()):,} events of environment {cell_text(str(names[number]))} is in the "
                    f"{where} {_hours(empty * minutes)} of the window, and {share[part].sum():.0%} of those of the "
                    f"others are: {_CAUSES}"
                )


def _counts(observed: EventObservations, owner: Counts, owners: int, steps: int) -> Counts:
    """Events of each step by what their observation belongs to; int64 [owners, steps]."""
    found = np.zeros(owners * steps, np.int64)
    for start in range(0, len(observed.step), _PIECE):
        step = np.asarray(observed.step[start : start + _PIECE]).astype(np.int64)
        row = np.searchsorted(observed.ptr, np.arange(start, start + len(step)), side="right") - 1 if owners > 1 else 0
        found += np.bincount((owner[row] * steps if owners > 1 else 0) + step, minlength=owners * steps)
    return found.reshape(owners, steps)


def _hours(minutes: float) -> str:
    return f"{minutes / 60:g} hours" if minutes >= 120 else f"{minutes:g} minutes"
