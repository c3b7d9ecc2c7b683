"""Warnings about columns, items, levels and codes that an environment has not, where most others have them.

A site that names an item otherwise, writes other words or codes, or leaves a column empty looks like one whose patients
were not measured. What is missing then tells the site, and what it has under another name is learned from it alone.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

from gdsfd.cohort.checks.candidates import MEASURED, UNNAMED, Flags
from gdsfd.cohort.checks.leakage import MAX_PATIENTS
from gdsfd.cohort.cohort import Cohort
from gdsfd.cohort.modality_kind import kind_of
from gdsfd.cohort.receipt.receipt import Finding
from gdsfd.cohort.schema import ModalityFields
from gdsfd.errors import cell_text

__all__ = ["find_absent_at_places"]

#: Patients of an environment who would have the thing by the share of all others: by chance nobody has it in one of
#: three million.
_EXPECTED = 15.0
#: Of the others who have it. What is rarer may well be done at some sites only: regions of the eICU demo differ so in
#: items and codes of 14 to 16 %.
_SHARE = 0.25
_OTHERS = 50  #: the fewest other patients to know that share by
_ENVIRONMENTS = 50  #: the largest ones, which are looked at
_ALONE = 5  #: the fewest patients with what nobody elsewhere has
_NAMED = 3  #: things that are told by name

Whole = NDArray[np.int64]


def find_absent_at_places(cohort: Cohort) -> list[Finding]:
    """A finding for each modality of which an environment lacks something, with what it alone has in place of it.

    Looked at are patients who have the modality (of levels: the column); environments that lack it wholly are told by
    :func:`~gdsfd.cohort.checks.availability.presence_findings`. Costs a pass over the columns of at most as many
    patients as leaks are looked for in.

    Args:
        cohort: The cohort.
    """
    if cohort.environment is None:
        return []
    chosen = np.arange(len(cohort))
    if len(cohort) > MAX_PATIENTS:
        chosen = np.sort(np.random.default_rng(0).choice(chosen, MAX_PATIENTS, replace=False))
    number = np.full(len(cohort), -1)
    number[chosen] = np.arange(len(chosen))
    names, place = np.unique(np.asarray(cohort.environment, dtype=str)[chosen], return_inverse=True)
    if len(names) < 2:
        return []
    order = np.argsort(-np.bincount(place), kind="stable")
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    place = np.minimum(rank[place], _ENVIRONMENTS)  # all small ones are one, the last
    named = [str(name) for name in names[order][:_ENVIRONMENTS]]
    found = (_of_modality(cohort, fields, number, place, named) for fields in cohort.schema.modalities)
    return [finding for finding in found if finding is not None]


def _of_modality(
    cohort: Cohort, fields: ModalityFields, number: Whole, place: Whole, named: list[str]
) -> Finding | None:
    """The finding of a modality.

    Args:
        cohort: The cohort.
        fields: The modality's description.
        number: Of each patient among those looked at, or -1; [N].
        place: Of each of them the environment's; [n].
        named: Names of the environments; there may be one more place, of all others together.
    """
    kind, observed = kind_of(fields), cohort.observations[fields.name]
    if kind.candidates is None:
        return None
    owner = number[observed.patient]
    places = int(place.max()) + 1
    having = np.bincount(place[owner[owner >= 0]], minlength=places)
    lacking: dict[int, list[tuple[float, str, int]]] = defaultdict(list)
    alone: dict[int, list[tuple[int, str]]] = defaultdict(list)
    for candidate in kind.candidates(fields, observed, owner):
        if not isinstance(candidate, Flags):
            continue
        flags = len(candidate.what)
        counts = np.bincount(candidate.flag * places + place[candidate.patient], minlength=flags * places)
        counts = counts.reshape(flags, places)
        of_column = candidate.where != fields.name and candidate.what != MEASURED
        if of_column and flags > 1 and ((counts > 0).sum(0) <= 1).all():
            continue  # it is the environment itself, or one value per environment
        among = counts.sum(0) if of_column else having  # a patient has one level of a column
        total = counts.sum(1, keepdims=True)
        others = among.sum() - among
        elsewhere = (total - counts) / np.maximum(others, 1)
        usual = (elsewhere >= _SHARE) & (others >= _OTHERS)
        absent = (counts == 0) & (among * elsewhere >= _EXPECTED) & usual
        only = (counts == total) & (counts >= _ALONE)
        for flag, own in zip(*np.nonzero(absent | only)):
            if candidate.what[flag] in UNNAMED or own >= len(named):
                continue
            called = _called(candidate.where[len(fields.name) + 1 :], candidate.what[flag])
            if absent[flag, own]:
                owners = np.flatnonzero(counts[flag])
                sole = int(owners[0]) if len(owners) == 1 else -1
                lacking[int(own)].append((-float(elsewhere[flag, own]), called, sole))
            else:
                alone[int(own)].append((-int(counts[flag, own]), called))
    if places > 2:  # what a single one has, which lacks something itself, is told of that one, not of all others
        left = {own: [each for each in things if each[2] not in lacking] for own, things in lacking.items()}
        lacking = {own: things for own, things in left.items() if things} or lacking
    if not lacking:
        return None
    own = min(lacking, key=lambda each: (min(lacking[each])[0], -len(lacking[each]), each))
    missing, instead = sorted(lacking[own]), sorted(alone[own])
    share = f"{-missing[0][0]:.0%} of the others have" + (" the first" if len(missing) > 1 else " it")
    text = (
        f"none of the {having[own]:,} patients of environment {cell_text(named[own])} who have it has "
        f"{_listed([what for _, what, _ in missing])} ({share})"
        + (f"; they alone have {_listed([what for _, what in instead])}" if instead else "")
        + (f". {len(lacking) - 1:,} more environments lack something, too" if len(lacking) > 1 else "")
        + ". Is it named or coded otherwise there, or exported empty? Write it alike with derive, or the environment "
        "is told by it"
    )
    return Finding("presence", fields.name, text, float(len(lacking)))


def _called(column: str, what: str) -> str:
    """A column or item by its name; of levels and codes what they are."""
    if [what] == MEASURED:
        return cell_text(column)
    return f"{cell_text(column)}, {what}" if column else what


def _listed(words: list[str]) -> str:
    more = len(words) - _NAMED
    return "; ".join(words[:_NAMED]) + (f" and {more:,} more" if more > 0 else "")
