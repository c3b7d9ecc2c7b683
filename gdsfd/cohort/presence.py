"""Who has what: the receipt's tables of splits, outcomes, presence and missingness patterns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gdsfd.cohort.cohort import Cohort
from gdsfd.cohort.fields import OutcomeFields
from gdsfd.errors import InputError, shown

__all__ = ["MAX_PATTERNS", "PatientFacts", "facts_of_cohort", "fill_tables", "presence_matrix"]

#: The receipt lists at most this many patterns; the rarer ones are pooled in one last row.
MAX_PATTERNS = 1000

_USUAL_SPLITS = ("train", "tuning", "test")

Bools = NDArray[np.bool_]
Rows = list[dict[str, Any]]


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
    """

    modalities: tuple[str, ...]
    presence: Bools
    subject: Sequence[str]
    split: Sequence[str]
    environment: Sequence[str] | None
    y: NDArray[Any]
    outcomes: tuple[OutcomeFields, ...]

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


def facts_of_cohort(cohort: Cohort) -> PatientFacts:
    """The facts of a cohort."""
    names = cohort.schema.names
    return PatientFacts(
        modalities=names,
        presence=presence_matrix([cohort.observations[name].patient for name in names], len(cohort)),
        subject=cohort.subject,
        split=cohort.split,
        environment=cohort.environment,
        y=cohort.y,
        outcomes=cohort.schema.outcomes,
    )


def fill_tables(cohort: Cohort) -> None:
    """Works out ``cohort.receipt.tables`` and ``cohort.receipt.subjects``.

    The tables, each a list of rows:

    ======================= ======================================================================================
    splits                  split, patients, subjects, labelled, outcome_rate
    outcomes                outcome, class (None = unlabelled), patients, share (of the labelled), splits
    presence_by_split       modality, split, count, of, share
    presence_by_environment modality, environment, count, of, share
    presence_by_outcome     modality, outcome, class, count, of, share
    patterns                modalities (list), count, share, outcome_rate, splits; most frequent first. Beyond
                            :data:`MAX_PATTERNS` one last row with modalities None pools ``pooled`` patterns
    ======================= ======================================================================================

    ``outcome_rate`` is a dict (:meth:`PatientFacts.rates`), ``splits`` a dict split -> patients.

    Raises:
        InputError: A subject stands in two splits.
    """
    facts = facts_of_cohort(cohort)
    receipt = cohort.receipt
    receipt.subjects = _subjects(facts)
    receipt.tables = {
        "splits": [
            {
                "split": name,
                "patients": int(members.sum()),
                "subjects": receipt.subjects[name],
                "labelled": int((members & facts.labelled).sum()),
                "outcome_rate": facts.rates(members),
            }
            for name, members in facts.splits.items()
        ],
        "outcomes": _outcomes(facts),
        "presence_by_split": presence_by(facts, "split", facts.splits),
        "presence_by_environment": presence_by(facts, "environment", facts.environments),
        "presence_by_outcome": [
            row
            for outcome, label, members, _ in facts.classes
            for row in presence_by(facts, "class", {label: members}, outcome=outcome)
        ],
        "patterns": pattern_rows(facts, MAX_PATTERNS),
    }


def presence_by(facts: PatientFacts, key: str, members: dict[str, Bools], **more: str) -> Rows:
    """One row per modality and set of patients: how many of them have it.

    Args:
        facts: The facts.
        key: What the sets are, the name of their column.
        members: The sets; bool [N] each.
        more: Further columns, the same in every row.
    """
    rows = []
    for name, mask in members.items():
        counts, of = facts.presence[mask].sum(0), int(mask.sum())
        for modality, count in zip(facts.modalities, counts.tolist(), strict=True):
            share = count / of if of else None
            rows.append({"modality": modality, **more, key: name, "count": count, "of": of, "share": share})
    return rows


def pattern_rows(facts: PatientFacts, limit: int) -> Rows:
    """One row per missingness pattern, the most frequent first; those beyond ``limit`` pooled in one last row."""
    flags, pattern = facts.patterns
    total = len(pattern)

    def row(modalities: list[str] | None, members: Bools) -> dict[str, Any]:
        count = int(members.sum())
        return {
            "modalities": modalities,
            "count": count,
            "share": count / total,
            "outcome_rate": facts.rates(members),
            "splits": {name: int((members & mask).sum()) for name, mask in facts.splits.items()},
        }

    names = np.array(facts.modalities, dtype=object)
    rows = [row(list(names[flags[number]]), pattern == number) for number in range(min(limit, len(flags)))]
    if len(flags) > limit:
        rows.append({**row(None, pattern >= limit), "pooled": len(flags) - limit})
    return rows


def _outcomes(facts: PatientFacts) -> Rows:
    rows = []
    for outcome in facts.outcomes:
        own = [entry for entry in facts.classes if entry[0] == outcome.name]
        known = int(own[0][3].sum())
        parts: list[tuple[str | None, Bools]] = [(label, members) for _, label, members, _ in own]
        for label, members in [*parts, (None, ~own[0][3])]:
            count = int(members.sum())
            rows.append(
                {
                    "outcome": outcome.name,
                    "class": label,
                    "patients": count,
                    "share": count / known if known and label is not None else None,
                    "splits": {name: int((members & mask).sum()) for name, mask in facts.splits.items()},
                }
            )
    return rows


def _subjects(facts: PatientFacts) -> dict[str, int]:
    """Subjects per split, and ``"overlap"``: subjects in more than one, which the split has to rule out."""
    person, names = pd.factorize(np.asarray(facts.subject, dtype=object))
    seen = np.zeros((len(names), len(facts.splits)), bool)
    for column, members in enumerate(facts.splits.values()):
        seen[person[members], column] = True
    straddling = np.flatnonzero(seen.sum(1) > 1)
    if len(straddling):
        raise InputError(
            f"{len(straddling)} subjects have patients in more than one split: {shown(names[straddling[:6]])}. "
            "A subject's patients belong together: change the split, or its column."
        )
    return {
        **{name: int(seen[:, column].sum()) for column, name in enumerate(facts.splits)},
        "overlap": len(straddling),
    }


def _members(labels: Sequence[str]) -> dict[str, Bools]:
    codes, names = pd.factorize(np.asarray(labels, dtype=object), sort=True)
    return {str(name): codes == number for number, name in enumerate(names)}
