"""Warnings about times to an event that lie elsewhere than those a schema was fitted on."""

from __future__ import annotations

import numpy as np

from gdsfd.cohort.cohort import Cohort
from gdsfd.cohort.receipt.receipt import Finding

__all__ = ["find_other_times"]

LEAST = 10  #: patients that are needed before anything is said
#: Shares from which the unit is doubted. Days as hours leave a few early events where they were.
MOST_EARLY, MOST_LATE = 0.9, 0.75


def find_other_times(cohort: Cohort) -> list[Finding]:
    """A finding where new patients' times can hardly be in the unit of the training patients'.

    Every interval holds events of training patients. New patients nearly all of whose follow-up ends within the first
    one, or most of whose events come after the last, probably have times in another unit.

    Args:
        cohort: New patients, read with an earlier schema.
    """
    fields = cohort.schema.survival
    if fields is None or cohort.follow_up is None or cohort.event is None:
        return []
    known = np.isfinite(cohort.follow_up)
    time, event = cohort.follow_up[known], cohort.event[known] == 1
    question = f"are times in the unit of the training patients'{f' ({fields.unit})' if fields.unit else ''}?"
    found = []
    early, late = int((time <= fields.cuts[0]).sum()), int((time[event] > fields.horizon).sum())
    if len(time) >= LEAST and early >= MOST_EARLY * len(time):
        found.append(
            f"{_of(early, len(time))} times end within the first interval, by {fields.spelled(fields.cuts[0])}: "
            f"{question}"
        )
    elif event.sum() >= LEAST and late >= MOST_LATE * event.sum():
        found.append(
            f"{_of(late, int(event.sum()))} events come after the horizon, {fields.spelled(fields.horizon)}: {question}"
        )
    return [Finding("range", fields.name, text) for text in found]


def _of(part: int, whole: int) -> str:
    return f"all {whole:,}" if part == whole else f"{part:,} of {whole:,}"
