"""Sharing patients out to train, tuning and test. Works on plain lists; knows nothing of files.

Subjects are the units: all patients of a subject land in one split. The random kinds order subjects by a hash of
(seed, subject), so the result does not depend on the order of the rows.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gdsfd.cohort.patients.split_kind import (
    LEFT_OUT,
    SPLIT_KINDS,
    SplitAssignment,
    SplitKind,
    SplitRequest,
    quotas,
)
from gdsfd.cohort.patients.split_names import read_split_names
from gdsfd.cohort.times.time_column import FORM_WORDS, read_texts
from gdsfd.errors import InputError, cell_text, cut_text, near_names, shown

if TYPE_CHECKING:
    from gdsfd.cohort.spec import SplitSpec

__all__ = ["LEFT_OUT", "NEW", "SplitAssignment", "assign_new", "assign_split"]

NEW = "new"  #: the one evaluation set of patients that are read with a fitted schema


def assign_split(
    spec: SplitSpec,
    subject: Sequence[str],
    *,
    strata: Sequence[int] | NDArray[np.int64] | None = None,
    environment: Sequence[str] | None = None,
    column: Sequence[str | None] | None = None,
) -> SplitAssignment:
    """Assigns each patient to a split.

    Args:
        spec: The kind of split and its fields.
        subject: The person each patient belongs to; [N].
        strata: What the random kinds balance, usually the label; a subject counts as its largest; [N].
        environment: Needed by kind ``environment``; [N].
        column: The values of ``spec.column``, needed by kinds ``time`` and ``column``; None = blank; [N].

    Returns:
        The splits, in the order of the patients.

    Raises:
        InputError: A subject in two splits of a column split, an unknown holdout, blank or unreadable times.
    """
    names, owner = np.unique(np.asarray(subject, dtype=object).astype(str), return_inverse=True)
    stratum = np.zeros(len(names), dtype=np.int64)
    if strata is not None:
        stratum[:] = np.iinfo(np.int64).min
        np.maximum.at(stratum, owner, np.asarray(strata, dtype=np.int64))
    order = _shuffled(names, stratum, spec.seed)
    request = SplitRequest(spec, subject, names, owner, stratum, order, environment, column)
    assigned = SPLIT_KINDS.find(spec.kind, "split.kind").assign(request)
    _check_whole(spec.kind, request, assigned.split)
    return assigned


def _check_whole(kind: str, request: SplitRequest, split: Sequence[str]) -> None:
    """Refuses what a kind of split must not give: another number of patients, or a subject in several splits."""
    if len(split) != len(request.owner):
        raise InputError(f"split.kind {kind!r} gave {len(split)} splits for {len(request.owner)} patients")
    given = {(int(owner), name) for owner, name in zip(request.owner, split) if name != LEFT_OUT}
    if len(given) > len({owner for owner, _ in given}):
        raise InputError(f"split.kind {kind!r} put patients of one subject into several splits")


def assign_new(spec: SplitSpec, subject: Sequence[str], column: Sequence[str | None] | None = None) -> SplitAssignment:
    """Assigns patients that a fitted schema reads: nobody among them is trained on.

    All are in the one evaluation set :data:`NEW`, unless ``spec`` is a column split and the column is there: its values
    are then evaluation sets of their own, and who has none is in :data:`NEW`.

    Args:
        spec: The kind of split and its fields.
        subject: The person each patient belongs to; [N].
        column: The values of ``spec.column`` where the spec is a column split and has it; None = blank; [N].

    Raises:
        InputError: A subject in two evaluation sets.
    """
    if not SPLIT_KINDS.find(spec.kind, "split.kind").by_name:
        return SplitAssignment([NEW] * len(subject))
    if column is None:
        note = f"no column {spec.column!r}: all patients are one evaluation set, {NEW!r}"
        return SplitAssignment([NEW] * len(subject), notes=[note])
    names, owner = np.unique(np.asarray(subject, dtype=object).astype(str), return_inverse=True)
    found = read_split_names(spec.column or "", column, to_train_on=False)
    split = np.array([value or LEFT_OUT for value in found.split], dtype=object)
    _check_one_split_each(spec, names, owner, split)
    by_subject = np.full(len(names), NEW, dtype=object)
    named = split != LEFT_OUT
    by_subject[owner[named]] = split[named]
    blank = int((~named).sum())
    notes = list(found.notes)
    if blank:
        rest = f"in {NEW!r}, or with the other patients of their subject"
        notes.append(f"{blank} patients have no value in the split column {spec.column!r} and are {rest}")
    return SplitAssignment(by_subject[owner].tolist(), notes=notes)


def _shuffled(names: NDArray[np.str_], stratum: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """Subjects ordered by stratum, then by hash."""
    keys = np.array(
        [int.from_bytes(hashlib.blake2b(f"{seed}|{name}".encode(), digest_size=8).digest(), "big") for name in names],
        dtype=np.uint64,
    )
    return np.lexsort((keys, stratum))


def _by_subject(request: SplitRequest) -> SplitAssignment:
    if request.spec.folds is not None:
        return _by_fold(request)
    by_subject = quotas(request.order, request.stratum, request.spec.fractions, ("train", "tuning", "test"))
    return SplitAssignment(by_subject[request.owner].tolist())


def _by_fold(request: SplitRequest) -> SplitAssignment:
    spec, owner, stratum, order = request.spec, request.owner, request.stratum, request.order
    if len(order) < (spec.folds or 1):
        raise InputError(
            f"split.folds: expected at most as many folds as there are subjects, {len(order)}, got {spec.folds}"
        )
    fold = np.empty(len(order), dtype=np.int64)
    fold[order] = np.arange(len(order)) % (spec.folds or 1)
    rest = order[fold[order] != spec.fold]
    by_subject = quotas(rest, stratum, spec.fractions[:2], ("train", "tuning"))
    by_subject[fold == spec.fold] = "test"
    return SplitAssignment(by_subject[owner].tolist())


def _by_environment(request: SplitRequest) -> SplitAssignment:
    spec, owner, stratum, order = request.spec, request.owner, request.stratum, request.order
    environment = request.environment
    if environment is None:
        raise InputError("split.kind 'environment' needs an environment per patient")
    known = set(environment)
    unknown = [name for name in spec.holdout if name not in known]
    if unknown:
        raise InputError(
            f"split.holdout: no patient is in environment {cell_text(unknown[0])}.{near_names(unknown[0], known)}"
        )
    held = np.isin(np.asarray(environment, dtype=object).astype(str), spec.holdout)
    subject_held = np.zeros(len(stratum), dtype=bool)
    np.logical_or.at(subject_held, owner, held)
    if subject_held.all():
        raise InputError(
            f"split.holdout: every subject has a patient in {shown(spec.holdout)}; nobody is left to train on"
        )
    rest = order[~subject_held[order]]
    by_subject = quotas(rest, stratum, spec.fractions[:2], ("train", "tuning"))
    split = by_subject[owner]
    split[held] = "test"
    split[~held & subject_held[owner]] = LEFT_OUT
    reason = "outside the held-out environments, but the same subject has a patient inside"
    return SplitAssignment(split.tolist(), left_out=reason)


def _by_time(request: SplitRequest) -> SplitAssignment:
    spec, subject, names, owner = request.spec, request.subject, request.names, request.owner
    order, column = request.order, request.column
    what = f"split.column {spec.column!r}"
    minutes, times = read_texts(list(column or []), what, subject, minutes=False)
    blank = np.flatnonzero(np.isnan(minutes))
    if len(blank):
        raise InputError(
            f"{what}: {len(blank)} patients have a blank time, e.g. of subject "
            f"{', '.join(cut_text(subject[row]) for row in blank[:5])}; filter them with cohort.where"
        )
    if times.form == "duration":
        raise InputError(
            f"{what} holds {FORM_WORDS['duration']}, e.g. {times.example}, which orders no patients; expected numbers "
            "or timestamps"
        )
    first = np.full(len(names), np.inf)
    np.minimum.at(first, owner, minutes)
    rank = np.empty(len(names), dtype=np.int64)
    rank[order] = np.arange(len(order))
    by_time = np.lexsort((rank, first))
    by_subject = quotas(by_time, np.zeros(len(names), dtype=np.int64), spec.fractions, ("train", "tuning", "test"))
    warnings = []
    if times.sentinels and 2 * times.sentinels < times.measured:
        warnings.append(
            f"{times.sentinels} of {times.measured} times of column {spec.column!r} look like placeholders (years 1, "
            "1899, 1900 and 9999, or 1970-01-01): they count as the earliest or latest patients"
        )
    if times.form == "number" and _two_digit_years(minutes):
        warnings.append(
            f"column {spec.column!r} holds numbers from 0 to 99 with none from 31 to 69: are they years of two digits? "
            "98 counts as later than 19; derive the whole year"
        )
    warnings += _ties(first, by_subject, spec)
    return SplitAssignment(by_subject[owner].tolist(), warnings=warnings)


def _two_digit_years(numbers: NDArray[np.float64]) -> bool:
    early, late = (numbers >= 0) & (numbers <= 30), (numbers >= 70) & (numbers <= 99)
    return bool(early.any() and late.any() and (early | late).all())


def _ties(first: NDArray[np.float64], by_subject: NDArray[np.object_], spec: SplitSpec) -> list[str]:
    """Warnings of a time at which one split ends and another begins: who of its subjects is where, chance decides."""
    warnings = []
    order = [name for name in ("train", "tuning", "test") if (by_subject == name).any()]
    for earlier, later in pairwise(order):
        before, after = first[by_subject == earlier], first[by_subject == later]
        if before.max() == after.min():
            tied = int((before == before.max()).sum() + (after == before.max()).sum())
            warnings.append(
                f"{tied:,} of {len(first):,} subjects have the one time at which {earlier!r} ends and {later!r} begins:"
                f" chance decides between the two. Name a finer column than {spec.column!r}, or give split by column"
            )
    return warnings


def _by_column(request: SplitRequest) -> SplitAssignment:
    spec, names, owner = request.spec, request.names, request.owner
    stratum, order, column = request.stratum, request.order, request.column
    named = read_split_names(spec.column or "", column or [])
    split = np.array([value or LEFT_OUT for value in named.split], dtype=object)
    _check_one_split_each(spec, names, owner, split)
    if "train" not in split:
        raise InputError(
            f"split.column {spec.column!r}: no patient is in 'train', found {shown(sorted(set(split) - {LEFT_OUT}))}"
        )
    warnings = []
    if "test" not in split:
        others = sorted(set(split) - {LEFT_OUT, "train", "tuning"})
        warnings.append(
            f"column {spec.column!r} has no 'test': "
            + (f"ask for {shown(others)} by name, e.g. evaluate --split" if others else "nothing can be judged")
        )
    if "tuning" not in split:
        in_train = np.zeros(len(names), dtype=bool)
        in_train[owner[split == "train"]] = True
        share = spec.fractions[1]
        chosen = quotas(order[in_train[order]], stratum, (1 - share, share), ("train", "tuning"))
        moved = (split == "train") & (chosen[owner] == "tuning")
        split[moved] = "tuning"
        warnings.append(
            f"column {spec.column!r} has no 'tuning': {int(moved.sum())} train patients were drawn for it, by subject"
        )
    left_out = "no split in the split column"
    return SplitAssignment(split.tolist(), left_out=left_out, notes=named.notes, warnings=warnings)


def _check_one_split_each(
    spec: SplitSpec, names: NDArray[np.str_], owner: NDArray[np.int64], split: NDArray[np.object_]
) -> None:
    """Refuses a column that puts patients of one subject into several splits."""
    seen: list[set[str]] = [set() for _ in names]
    for patient, value in zip(owner, split):
        if value:
            seen[patient].add(value)
    straddling = [position for position, splits in enumerate(seen) if len(splits) > 1]
    if straddling:
        examples = "; ".join(
            f"{cell_text(str(names[position]))} in {' and '.join(sorted(seen[position]))}"
            for position in straddling[:5]
        )
        raise InputError(
            f"split.column {spec.column!r}: {len(straddling)} subjects are in more than one split: {examples}. "
            "All patients of a subject must share one split"
        )


SPLIT_KINDS.register("subject")(SplitKind(_by_subject, takes_folds=True))
SPLIT_KINDS.register("environment")(SplitKind(_by_environment, needs_environment=True, needs_holdout=True))
SPLIT_KINDS.register("time")(SplitKind(_by_time, needs_column=True))
SPLIT_KINDS.register("column")(SplitKind(_by_column, needs_column=True, by_name=True))
