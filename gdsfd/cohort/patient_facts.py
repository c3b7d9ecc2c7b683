"""What the receipt's tables, the findings and the pictures are worked out from: labels and presence of all patients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gdsfd.cohort.cohort import Cohort
from gdsfd.cohort.schema import CohortSchema, OutcomeFields, SurvivalFields

__all__ = ["PatientFacts", "facts_of_cohort", "labels_as_told", "presence_matrix"]

_USUAL_SPLITS = ("train", "tuning", "test")

Bools = NDArray[np.bool_]


def presence_matrix(patients: Sequence[NDArray[np.int64]], num_patients: int) -> Bools:
    """Who has what.

    Args:
        patients: For each modality the rows of the patients who have it.
        num_patients: Number of patients N.

    Returns:
        bool [N, K].
    """
    presence = np.zeros((num_patients, len(patients)), dtype=bool)
    for column, rows in enumerate(patients):
        presence[rows, column] = True
    return presence


@dataclass
class PatientFacts:
    """What the tables are worked out from; a cohort and a graph both have it.

    Args:
        modalities: The modalities' names.
        presence: True where a patient has a modality; bool [N, K].
        subject: The person each patient belongs to; [N].
        split: Each patient's split; [N].
        environment: Each patient's environment; [N], or None.
        y: Labels as in :class:`~gdsfd.cohort.cohort.Cohort`.
        outcomes: What the labels mean.
        survival: Of a time to an event its intervals, or None. Then the one outcome is whether the event was seen.
    """

    modalities: tuple[str, ...]
    presence: Bools
    subject: Sequence[str]
    split: Sequence[str]
    environment: Sequence[str] | None
    y: NDArray[Any]
    outcomes: tuple[OutcomeFields, ...]
    survival: SurvivalFields | None = None

    @cached_property
    def splits(self) -> dict[str, Bools]:
        """Each split's members, the usual splits first, then the others by name."""
        found = _members(self.split)
        usual = [name for name in _USUAL_SPLITS if name in found]
        return {name: found[name] for name in [*usual, *(name for name in found if name not in usual)]}

    @cached_property
    def environments(self) -> dict[str, Bools]:
        """Each environment's members, the largest first."""
        if self.environment is None:
            return {}
        found = _members(self.environment)
        return dict(sorted(found.items(), key=lambda entry: (-int(entry[1].sum()), entry[0])))

    @cached_property
    def classes(self) -> list[tuple[str, str, Bools, Bools]]:
        """For each outcome and class: outcome name, class label, members and labelled patients (bool [N] each)."""
        listed = []
        for column, outcome in enumerate(self.outcomes):
            values = self.y if outcome.multiclass else self.y[:, column]
            labelled = values >= 0  # NaN and -1 alike are not
            for number, label in enumerate(outcome.classes):
                listed.append((outcome.name, label, labelled & (values == number), labelled))
        return listed

    @cached_property
    def labelled(self) -> Bools:
        """Patients with at least one label; bool [N]."""
        return (
            np.any([labelled for *_, labelled in self.classes], axis=0)
            if self.classes
            else np.zeros(len(self.split), bool)
        )

    @cached_property
    def rated(self) -> list[tuple[str, Bools, Bools]]:
        """What has a rate: each class of a multi-class outcome, else the positive class of each outcome, under the
        outcome's name; with members and labelled patients (bool [N] each).
        """
        listed = []
        for outcome in self.outcomes:
            own = [entry for entry in self.classes if entry[0] == outcome.name]
            for _, label, members, labelled in own if outcome.multiclass else own[-1:]:
                listed.append((label if outcome.multiclass else outcome.name, members, labelled))
        return listed

    def rates(self, among: Bools | slice = slice(None)) -> dict[str, float | None]:
        """Outcome rates (see :attr:`rated`) among the labelled of some patients; None where nobody is labelled.

        Args:
            among: bool [N], or all.
        """
        rates: dict[str, float | None] = {}
        for name, members, labelled in self.rated:
            known = int(labelled[among].sum())
            rates[name] = int(members[among].sum()) / known if known else None
        return rates

    @cached_property
    def patterns(self) -> tuple[Bools, NDArray[np.int64]]:
        """The distinct patterns, the most frequent first (ties: fewer modalities first), bool [P, K]; and the number of
        each patient's pattern, int64 [N].
        """
        packed = np.packbits(self.presence, axis=1)
        if not packed.shape[1]:
            packed = np.zeros((len(self.presence), 1), np.uint8)
        # One opaque value per row sorts far faster than rows do.
        keys = np.ascontiguousarray(packed).view(np.dtype((np.void, packed.shape[1]))).ravel()
        _, first, pattern, count = np.unique(keys, return_index=True, return_inverse=True, return_counts=True)
        flags = self.presence[first]
        order = np.lexsort((np.arange(len(first)), flags.sum(1), -count))
        place = np.empty_like(order)
        place[order] = np.arange(len(order))
        return flags[order], place[pattern]


def labels_as_told(schema: CohortSchema, y: NDArray[Any]) -> tuple[NDArray[Any], tuple[OutcomeFields, ...]]:
    """Labels and outcomes as tables tell them: of a time to an event not interval by interval, but whether it was seen.

    Args:
        schema: The schema.
        y: Labels as in :class:`~gdsfd.cohort.cohort.Cohort`.

    Returns:
        Labels and outcomes; of a time to an event one of each: whether it was seen up to the horizon.
    """
    if schema.survival is None:
        return y, schema.outcomes
    seen = np.where(np.isnan(y).all(1), np.nan, (y == 1).any(1)).astype(np.float32)
    outcome = OutcomeFields(f"{schema.survival.name} (seen)", schema.survival.event, ("no", "yes"))
    return seen[:, None], (outcome,)


def facts_of_cohort(cohort: Cohort, by_interval: bool = False) -> PatientFacts:
    """The facts of a cohort.

    Args:
        cohort: The cohort.
        by_interval: Whether the intervals of a time to an event are outcomes, each for itself.
    """
    names = cohort.schema.names
    y, outcomes = (cohort.y, cohort.schema.outcomes) if by_interval else labels_as_told(cohort.schema, cohort.y)
    return PatientFacts(
        modalities=names,
        presence=presence_matrix([cohort.observations[name].patient for name in names], len(cohort)),
        subject=cohort.subject,
        split=cohort.split,
        environment=cohort.environment,
        y=y,
        outcomes=outcomes,
        survival=cohort.schema.survival,
    )


def _members(labels: Sequence[str]) -> dict[str, Bools]:
    codes, names = pd.factorize(np.asarray(labels, dtype=object), sort=True)
    return {str(name): codes == number for number, name in enumerate(names)}
