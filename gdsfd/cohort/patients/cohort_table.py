"""The cohort table: patients, subjects, environments, groups, labels and splits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gdsfd.cohort.checks.early_outcomes import find_early_outcomes
from gdsfd.cohort.keys.spelling_findings import check_holdout, find_spellings, find_spellings_of_subjects, find_unknown
from gdsfd.cohort.keys.whole_numbers import note_on_points, without_point
from gdsfd.cohort.patients.cohort_cells import CohortCells, origins, read_cells
from gdsfd.cohort.patients.cohort_rows import CohortRows
from gdsfd.cohort.patients.follow_up import read_follow_up
from gdsfd.cohort.patients.hazard_intervals import cut_intervals
from gdsfd.cohort.patients.new_patients import split_findings
from gdsfd.cohort.patients.outcome import Labels, check_classes, check_same_order, other_words, read_labels, strata_of
from gdsfd.cohort.patients.patients_table import patients_table
from gdsfd.cohort.patients.persons import check_persons
from gdsfd.cohort.patients.split import LEFT_OUT, SplitAssignment, assign_new, assign_split
from gdsfd.cohort.patients.split_kind import SPLIT_KINDS
from gdsfd.cohort.patients.survival_labels import labels_before_cutting, labels_of_intervals
from gdsfd.cohort.receipt.receipt import Drop, Finding, SourceReceipt
from gdsfd.cohort.schema import CohortSchema, SurvivalFields
from gdsfd.cohort.sources.sources import Sources
from gdsfd.cohort.spec import CohortSpec, SurvivalSpec
from gdsfd.cohort.spec.cohort_spec import CohortTable
from gdsfd.errors import InputError, shown

__all__ = ["UNKNOWN", "read_cohort_table"]

UNKNOWN = "Unknown"  #: a blank environment or group
Cells = dict[str, list[str | None]]  # by column


def read_cohort_table(spec: CohortSpec, sources: Sources, like: CohortSchema | None = None) -> CohortRows:
    """Reads the cohort table and assigns splits.

    Args:
        spec: The spec.
        sources: Where tables are opened.
        like: Take outcomes' words from here. Nobody is then trained on: labels may be absent or of one class, and the
            columns of subject, environment, groups and split may be missing.

    Raises:
        InputError: A missing column, a repeated id, no patient left, an outcome of one class, a bad split.
    """
    read = read_cells(spec, sources, like)
    spec, cells, ids, label = read.spec, read.cells, read.ids, read.view.label
    cohort, findings = spec.cohort, read.findings
    if cohort.subject is not None:
        findings += check_persons(cells[cohort.subject], cohort.subject, label, sources.show_ids)
    subject = _subjects(cells[cohort.subject or cohort.id], ids)
    labels = _labels(spec, cells, ids, label, like)
    written = _one_spelling_of_groups(cohort, cells)
    environment = _environment(spec, cells)
    assigned = _assigned(spec, subject, labels, environment, cells, like)
    if like is not None:
        findings += split_findings(assigned.split, bool(spec.split.column and spec.split.column in cells))
    labels, survival = _in_intervals(spec, labels, assigned.split, label, like)
    left_out = np.asarray(assigned.split, dtype=object) == LEFT_OUT
    stay = np.flatnonzero(~left_out)
    pick = stay.tolist()
    drops = read.drops
    if left_out.any():
        some = [ids[row] for row in np.flatnonzero(left_out)[:5]]
        drops.append(Drop(assigned.left_out, int(left_out.sum()), some, True))
    rows = CohortRows(
        id=[ids[row] for row in pick],
        subject=[subject[row] for row in pick],
        split=[assigned.split[row] for row in pick],
        environment=None if environment is None else [environment[row] for row in pick],
        groups={name: [cells[name][row] or UNKNOWN for row in pick] for name in cohort.groups},
        y=labels.y[stay],
        outcomes=labels.fields,
        environment_name="+".join(cohort.environment) if cohort.environment else None,
        table=None,
        label=label,
        own_columns=_own_columns(spec),
        receipt=SourceReceipt(
            "cohort", "cohort", read.view.files, read.view.rows, len(pick), len(pick), drops, read.view.duplicates
        ),
        findings=findings,
        outcome_values=labels.values,
        survival=survival,
        follow_up=None if labels.follow_up is None else labels.follow_up.take(stay),
    )
    if like is None:
        check_classes(rows.y, rows.split, rows.outcomes, label, cells)
    rows.receipt.notes = [*read.view.notes, *_blank_subjects(read), *labels.notes, *assigned.notes, *written]
    rows.findings += [*labels.findings, *(Finding("split", spec.split.kind, text) for text in assigned.warnings)]
    rows.findings += _other_environments(rows, like)
    rows.findings += _spellings(rows, cohort.subject or cohort.id, sources.show_ids)
    rows.findings += _unknown(cohort, cells, pick)
    begins = {name: [cells[name][row] for row in pick] for name in origins(spec)}
    times = {name: [cells[name][row] for row in pick] for name in read.timed}
    rows.findings += find_early_outcomes(spec, begins | times, _having(spec, rows))
    rows.table = patients_table(sources, rows, begins)
    return rows


def _subjects(cells: Sequence[str | None], ids: Sequence[str]) -> list[str]:
    """The persons; a blank one is a person of its own, under a name that nobody else has."""
    mark = "id "
    while any(cell is not None and cell.startswith(mark) for cell in cells):
        mark = f"blank, {mark}"
    return [mark + own if cell is None else cell for cell, own in zip(cells, ids)]


def _blank_subjects(read: CohortCells) -> list[str]:
    name = read.spec.cohort.subject
    count = 0 if name is None else sum(cell is None for cell in read.cells[name])
    return [f"{count} patients have a blank {name!r} and count as a person of their own"] if count else []


def _own_columns(spec: CohortSpec) -> frozenset[str]:
    """What the spec names for something else than a feature."""
    cohort = spec.cohort
    named = (cohort.id, cohort.subject, spec.split.column, *(cohort.environment or []), *cohort.groups)
    outcomes = (name for outcome in spec.outcome for name in outcome.columns)
    return frozenset(name for name in (*named, *outcomes, *origins(spec)) if name is not None)


def _assigned(
    spec: CohortSpec,
    subject: list[str],
    labels: Labels,
    environment: list[str] | None,
    cells: Cells,
    like: CohortSchema | None,
) -> SplitAssignment:
    """Everybody's split; of new patients the evaluation sets that a column names."""
    by_column = cells.get(spec.split.column) if spec.split.column else None
    if like is not None:
        return assign_new(spec.split, subject, by_column)
    if SPLIT_KINDS.find(spec.split.kind).needs_holdout and environment is not None:
        check_holdout(spec.split, environment)
    return assign_split(spec.split, subject, strata=strata_of(labels.y), environment=environment, column=by_column)


def _in_intervals(
    spec: CohortSpec, labels: Labels, split: list[str], label: str, like: CohortSchema | None
) -> tuple[Labels, SurvivalFields | None]:
    """Labels of a time to an event by interval, and the intervals, which training patients give; others as they are."""
    survival = None if like is None else like.survival
    if labels.follow_up is None:
        return labels, survival
    if survival is None:
        train = np.asarray(split, dtype=object) == "train"
        survival = cut_intervals(_survival_outcome(spec), labels.follow_up, train, label)
    return labels_of_intervals(survival, labels.follow_up), survival


def _labels(spec: CohortSpec, cells: Cells, ids: list[str], label: str, like: CohortSchema | None) -> Labels:
    # of a time to an event one column without the other says nothing
    absent = [name for outcome in spec.outcome for name in outcome.columns if not {*outcome.columns} <= cells.keys()]
    padded: Cells = {**cells, **{column: [None] * len(ids) for column in absent}}
    if isinstance(spec.outcome[0], SurvivalSpec):
        return labels_before_cutting(read_follow_up(spec.outcome[0], padded, ids, label, like is not None))
    labels = read_labels(spec.outcome, padded, ids, label, None if like is None else like.outcomes)
    if like is not None:
        check_same_order(labels.fields, like.outcomes)
        for outcome, now, before in zip(spec.outcome, labels.fields, like.outcomes, strict=True):
            labels.findings += other_words(outcome, now, before, padded[outcome.column])
        labels.fields = like.outcomes
    return labels


def _survival_outcome(spec: CohortSpec) -> SurvivalSpec:
    outcome = spec.outcome[0]
    assert isinstance(outcome, SurvivalSpec)
    return outcome


def _environment(spec: CohortSpec, cells: Cells) -> list[str] | None:
    if not spec.cohort.environment:
        return None
    parts = list(zip(*(cells[name] for name in spec.cohort.environment)))
    environment = ["+".join(value or UNKNOWN for value in row) for row in parts]
    first: dict[str, tuple[str | None, ...]] = {}
    for name, row in zip(environment, parts):
        if tuple(value or UNKNOWN for value in first.setdefault(name, row)) != tuple(value or UNKNOWN for value in row):
            raise InputError(
                f"cohort.environment: {shown(first[name])} and {shown(row)} would both be called {name!r}; take the "
                "'+' out of the values with cohort.derive"
            )
    return environment


def _having(spec: CohortSpec, rows: CohortRows) -> dict[str, NDArray[np.bool_]]:
    """By outcome who has it; none of several classes."""
    if rows.follow_up is not None:
        return {spec.outcome[0].name: rows.follow_up.event == 1}
    if rows.y.ndim == 1:
        return {}
    return {outcome.name: rows.y[:, place] == 1 for place, outcome in enumerate(spec.outcome)}


def _other_environments(rows: CohortRows, like: CohortSchema | None) -> list[Finding]:
    """Warns of new patients whose environments are those of another column."""
    name = rows.environment_name
    if like is None or not name or like.environment in (None, name):
        return []
    text = (
        f"environments are of {name!r} here and of {like.environment!r} in training; which of them were trained on is "
        "told by equal names alone"
    )
    return [Finding("environment", name, text)]


def _one_spelling_of_groups(cohort: CohortTable, cells: Cells) -> list[str]:
    """Groups' cells are changed to one spelling per whole number; notes of those that were.

    Environments are left as they are written: a split may name them.
    """
    notes = []
    for name in cohort.groups:
        if name in (cohort.environment or []):
            continue
        counts = Counter(cell for cell in cells[name] if cell is not None)
        merged = without_point(counts)
        if merged:
            cells[name] = [cell if cell is None else merged.get(cell, cell) for cell in cells[name]]
            notes.append(f"group {name!r}: {note_on_points(merged, counts, 'groups')}")
    return notes


def _unknown(cohort: CohortTable, cells: Cells, pick: Sequence[int]) -> list[Finding]:
    """Warnings of environments and groups that are not known of some of the patients picked."""
    found: list[Finding] = []
    for name in dict.fromkeys([*(cohort.environment or []), *cohort.groups]):
        noun = "environments" if name in (cohort.environment or []) else "groups"
        named = Counter(cells[name][row] or UNKNOWN for row in pick)
        found += find_unknown(name, named, noun, sum(cells[name][row] is None for row in pick))
    return found


def _spellings(rows: CohortRows, column: str, show_ids: bool) -> list[Finding]:
    """Warnings of persons, environments and groups that are one but for their spelling."""
    found = find_spellings_of_subjects(rows.subject, rows.split, column, show_ids)
    if rows.environment is not None:
        found += find_spellings("environment", Counter(rows.environment), "environments")
    for name, values in rows.groups.items():
        found += find_spellings(f"group {name}", Counter(values), "groups")
    return found
