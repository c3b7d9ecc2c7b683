"""Labels of a survival outcome: first whether the event happened, for the split; then one per interval."""

from __future__ import annotations

import numpy as np

from gdsfd.cohort.patients.follow_up import FollowUp
from gdsfd.cohort.patients.hazard_labels import hazard_labels, interval_fields
from gdsfd.cohort.patients.outcome import Labels
from gdsfd.cohort.schema import SurvivalFields

__all__ = ["labels_before_cutting", "labels_of_intervals"]


def labels_before_cutting(follow_up: FollowUp) -> Labels:
    """Whether the event happened as the one label, so that splits have like shares of it; no outcome is described yet.

    The intervals depend on who trains, so they come after the split.
    """
    return Labels(follow_up.event.reshape(-1, 1), (), follow_up.notes, follow_up.findings, follow_up.values, follow_up)


def labels_of_intervals(fields: SurvivalFields, follow_up: FollowUp) -> Labels:
    """The labels that models are trained with.

    Args:
        fields: The intervals.
        follow_up: Times and events.
    """
    events = follow_up.event == 1
    late = int((events & (follow_up.time > fields.horizon)).sum())
    note = (
        f"outcome {fields.name!r}: {int(events.sum()):,} events, {int((follow_up.event == 0).sum()):,} censored; "
        f"hazards of {len(fields.cuts)} intervals up to {fields.spelled(fields.horizon)}"
    )
    if late:
        note += f"; {late:,} events come later, their patients outlive the horizon"
    return Labels(
        np.asarray(hazard_labels(fields, follow_up.time, follow_up.event)),
        interval_fields(fields),
        [*follow_up.notes, note],
        follow_up.findings,
        follow_up.values,
        follow_up,
    )
