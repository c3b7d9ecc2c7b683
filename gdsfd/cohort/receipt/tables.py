"""Who has what: the receipt's tables of splits, outcomes, presence and missingness patterns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gdsfd.cohort.cohort import Cohort
from gdsfd.cohort.patient_facts import PatientFacts, facts_of_cohort
from gdsfd.errors import InputError, shown

__all__ = ["MAX_PATTERNS", "fill_tables", "pattern_rows", "pattern_words", "presence_by"]

#: The receipt lists at most this many patterns; the rarer ones are pooled in one last row.
MAX_PATTERNS = 1000

Bools = NDArray[np.bool_]
Rows = list[dict[str, Any]]


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
    receipt.tables |= {
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


def pattern_words(present: Sequence[str], modalities: Sequence[str]) -> str:
    """A pattern in the fewest words: what is there, or what is missing.

    Example:
        >>> pattern_words(["labs", "notes"], ["labs", "notes", "scan"])
        'all but scan'
    """
    absent = [name for name in modalities if name not in present]
    if not present:
        return "nothing"
    if not absent:
        return "all"
    return f"all but {', '.join(absent)}" if len(absent) < len(present) else ", ".join(present)


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
