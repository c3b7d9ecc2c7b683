"""Warnings about times to an event that lie elsewhere than those a schema was fitted on."""

from __future__ import annotations

import numpy as np

from gdsfd.cohort.cohort import Cohort
from gdsfd.cohort.receipt.receipt import Finding

__all__ = ["find_other_times"]

LEAST = 10  #: patients that are needed before anything is said


def find_other_times(cohort: Cohort) -> list[Finding]:
    """A finding where new patients' times can hardly be in the unit of the training patients'.

    Every interval holds events of training patients. New patients whose follow-up all ends within the first one, or
    whose events all come after the last, probably have times in another unit.

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
    if len(time) >= LEAST and (time <= fields.cuts[0]).all():
        found.append(
            f"all {len(time):,} times end within the first interval, by {fields.spelled(fields.cuts[0])}: {question}"
        )
    elif event.sum() >= LEAST and (time[event] > fields.horizon).all():
        found.append(
            f"all {int(event.sum()):,} events come after the horizon, {fields.spelled(fields.horizon)}: {question}"
        )
    return [Finding("range", fields.name, text) for text in found]
