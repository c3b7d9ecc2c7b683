"""Warnings worked out from the finished cohort, first of all columns that look leaky."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gdsfd.cohort.checks.availability import presence_findings
from gdsfd.cohort.checks.candidates import Flags, Ranked, leak_candidates
from gdsfd.cohort.checks.told_presence import ToldPresence
from gdsfd.cohort.cohort import Cohort
from gdsfd.cohort.patient_facts import PatientFacts, facts_of_cohort
from gdsfd.cohort.receipt.receipt import Finding
from gdsfd.errors import cell_text

__all__ = ["find_leaks", "univariate_auroc"]

THRESHOLD = 0.95  #: AUROC above which (or below one minus which) a single column is suspicious
MIN_PER_CLASS = 10  #: patients with, and without, the outcome that a column's AUROC needs
MAX_PATIENTS = 50_000  #: patients looked at; of more, so many are drawn: an AUROC this extreme shows on them

Bools = NDArray[np.bool_]


def find_leaks(cohort: Cohort, new: bool = False) -> list[Finding]:
    """Looks for what is allowed but probably not meant.

    On labelled training patients only (of new patients, whom nobody trains on, on all labelled ones), and for every
    outcome (every class of a multi-class one against the rest), the AUROC of single columns is worked out: numeric
    columns, mean and last value of event items, how many events or codes there are and how late the last is,
    categorical levels, codes, and whether a column, item or modality is there at all. Numbers are ranked among those
    who have them; a flag is read for every patient, absent meaning no.
    Components of embeddings are not looked at. Then come things whose presence gives a class away
    (:func:`~gdsfd.cohort.checks.told_presence.telling`), and the findings of
    :func:`~gdsfd.cohort.checks.availability.presence_findings`.

    Args:
        cohort: The finished cohort.
        new: Whether these are new patients, read with a fitted schema.

    Returns:
        Leaks, the most extreme first, then the other findings.
    """
    facts = facts_of_cohort(cohort)
    who = "new" if new else "training"
    among = facts.labelled if new else facts.labelled & (np.asarray(cohort.split, dtype=object) == "train")
    eligible = np.flatnonzero(among)
    rows, note = eligible, f"{who} patients"
    if len(eligible) > MAX_PATIENTS:
        rows = np.sort(np.random.default_rng(0).choice(eligible, MAX_PATIENTS, replace=False))
        note += f", on {MAX_PATIENTS:,} of {len(eligible):,} {who} patients drawn at random"
    # of a time to an event interval by interval: a column that holds the time tells each of them
    targets = [target for target in _targets(facts_of_cohort(cohort, by_interval=True), rows) if target.enough()]
    if not targets:
        return presence_findings(facts, new)
    place = np.full(len(cohort), -1)
    place[rows] = np.arange(len(rows))
    leaks: list[Finding] = []
    told = ToldPresence(who)
    for candidate in leak_candidates(cohort, place):
        for target in targets:
            if isinstance(candidate, Ranked):
                leaks += _judge_ranked(candidate, target, note)
            else:
                leaks += _judge_flags(candidate, target, note, told)
    leaks.sort(key=lambda finding: -abs((finding.value or 0.0) - 0.5))
    return [*leaks, *told.findings(), *presence_findings(facts, new)]


def univariate_auroc(values: NDArray[np.number], positive: Bools) -> float:
    """Chance that a random positive has a higher value than a random negative, ties counting half.

    Args:
        values: One finite or infinite value per patient, no NaN; [n].
        positive: bool [n].

    Returns:
        The AUROC; NaN when one class is empty.

    Example:
        >>> univariate_auroc(np.array([1.0, 2.0, 2.0, 3.0]), np.array([False, False, True, True]))
        0.875
    """
    positives = int(positive.sum())
    negatives = len(positive) - positives
    if not positives or not negatives:
        return float("nan")
    others, own = np.sort(values[~positive]), values[positive]
    below = np.searchsorted(others, own, "left") + np.searchsorted(others, own, "right")  # twice; ties count half
    return float(below.sum() / 2 / (positives * negatives))


@dataclass(frozen=True)
class _Target:
    """One class against the rest, among the patients looked at: its members and the labelled; bool [n] each."""

    name: str
    positive: Bools
    labelled: Bools

    def enough(self) -> bool:
        positives = int(self.positive.sum())
        return min(positives, int(self.labelled.sum()) - positives) >= MIN_PER_CLASS


def _targets(facts: PatientFacts, rows: NDArray[np.int64]) -> Iterator[_Target]:
    for outcome in facts.outcomes:
        own = [entry for entry in facts.classes if entry[0] == outcome.name]
        # Of two classes the second is looked at: the first is its mirror image.
        for _, label, members, labelled in own if len(own) > 2 else own[-1:]:
            yield _Target(f"{outcome.name} = {cell_text(label)}", members[rows], labelled[rows])


def _judge_ranked(column: Ranked, target: _Target, note: str) -> Iterator[Finding]:
    known = target.labelled[column.patient]
    among = _Target(target.name, target.positive[column.patient[known]], np.ones(int(known.sum()), bool))
    if among.enough():
        auroc = univariate_auroc(column.values[known], among.positive)
        yield from _finding(column.where, column.what, target, auroc, len(among.positive), note)


def _judge_flags(flags: Flags, target: _Target, note: str, told: ToldPresence) -> Iterator[Finding]:
    positives, labelled = int(target.positive.sum()), int(target.labelled.sum())

    def having(who: Bools) -> NDArray[np.int64]:
        return np.bincount(flags.flag[who[flags.patient]], minlength=len(flags.what))

    true_positive = having(target.positive)
    false_positive = having(target.labelled) - true_positive
    aurocs = (1 + true_positive / positives - false_positive / (labelled - positives)) / 2
    for number in np.flatnonzero((aurocs > THRESHOLD) | (aurocs < 1 - THRESHOLD)):
        yield from _finding(flags.where, flags.what[number], target, float(aurocs[number]), labelled, note)
    told.add(flags, target.name, true_positive, false_positive, positives, labelled - positives)


def _finding(where: str, what: str, target: _Target, auroc: float, patients: int, note: str) -> Iterator[Finding]:
    if not (auroc > THRESHOLD or auroc < 1 - THRESHOLD):
        return
    name = f"{where} ({what})" if what else where
    yield Finding(
        kind="leakage",
        where=name,
        text=(
            f"alone it tells {target.name} from the rest with AUROC {auroc:.3f} "
            f"({patients:,} {note}); if it is only known after the time of prediction, leave it out"
        ),
        value=auroc,
    )
