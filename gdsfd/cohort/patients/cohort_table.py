"""The cohort table: patients, subjects, environments, groups, labels and splits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from gdsfd.cohort.checks.early_outcomes import columns_behind, find_early_outcomes
from gdsfd.cohort.keys.key_cells import check_key_cells
from gdsfd.cohort.keys.spelling_findings import check_holdout, find_spellings, find_spellings_of_subjects, find_unknown
from gdsfd.cohort.patients.follow_up import FollowUp, check_durations, read_follow_up
from gdsfd.cohort.patients.hazard_intervals import cut_intervals
from gdsfd.cohort.patients.new_patients import split_findings, without_absent
from gdsfd.cohort.patients.outcome import Labels, check_classes, check_same_order, other_words, read_labels, strata_of
from gdsfd.cohort.patients.persons import check_persons
from gdsfd.cohort.patients.rows_of_no_patient import check_rows_of_no_patient
from gdsfd.cohort.patients.split import LEFT_OUT, assign_new, assign_split
from gdsfd.cohort.patients.split_kind import SPLIT_KINDS
from gdsfd.cohort.patients.survival_labels import labels_before_cutting, labels_of_intervals
from gdsfd.cohort.receipt.receipt import Drop, Finding, SourceReceipt
from gdsfd.cohort.schema import CohortSchema, OutcomeFields, SurvivalFields
from gdsfd.cohort.sources.internal_names import KEEP, ROW, origin_column
from gdsfd.cohort.sources.sources import Sources, View
from gdsfd.cohort.sources.values import as_text
from gdsfd.cohort.spec import CohortSpec, SurvivalSpec
from gdsfd.errors import InputError, shown

__all__ = ["UNKNOWN", "CohortRows", "check_unique", "named_columns", "read_cohort_table"]

UNKNOWN = "Unknown"  #: a blank environment or group


@dataclass
class CohortRows:
    """The patients, and their table in the database that modalities are matched with.

    Args:
        id, subject, split, environment, groups, y: As in :class:`~gdsfd.cohort.cohort.Cohort`.
        outcomes: The outcomes' descriptions.
        environment_name: Name of the environment column(s).
        table: Database table ``patients``: row, id (text), id_number (int64 where the id is a plain integer), subject
            and subject_number likewise, train, one column per ``origin`` a modality names.
        label: The cohort's source, for messages.
        own_columns: Columns that the spec names as id, subject, environment, group, outcome, split or origin: no
            features unless a modality names them.
        receipt: The cohort's receipt.
        findings: Warnings about the cohort table.
        outcome_values: The receipt's table of that name.
        survival: Of a survival outcome its intervals, which ``outcomes`` and ``y`` are about; else None.
        follow_up: Likewise the times and events themselves.
    """

    id: list[str]
    subject: list[str]
    split: list[str]
    environment: list[str] | None
    groups: dict[str, list[str]]
    y: NDArray[np.float32] | NDArray[np.int64]
    outcomes: tuple[OutcomeFields, ...]
    environment_name: str | None
    table: Any
    label: str
    own_columns: frozenset[str]
    receipt: SourceReceipt
    findings: list[Finding] = field(default_factory=list)
    outcome_values: list[dict[str, Any]] = field(default_factory=list)
    survival: SurvivalFields | None = None
    follow_up: FollowUp | None = None

    @property
    def train(self) -> NDArray[np.bool_]:
        """Whether each patient trains; bool [N]."""
        return np.asarray(self.split, dtype=object) == "train"


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
    cohort = spec.cohort
    view = sources.open(
        cohort.source,
        "cohort",
        derive=cohort.derive,
        where=cohort.where,
        joins=cohort.join,
        in_order=True,
        people=(cohort.id, cohort.subject),
    )
    findings: list[Finding] = []
    if like is not None:
        spec, findings = without_absent(spec, view.columns, view.label)
        cohort = spec.cohort
    wanted = _columns(spec, view, like)
    if isinstance(spec.outcome[0], SurvivalSpec):
        check_durations(spec.outcome[0], view.durations, view.label)
    for name in wanted:
        check_key_cells(view, name, "of the cohort", sources, exact=name in (cohort.id, cohort.subject))
    behind = columns_behind(spec, {name: str(kind) for name, kind in view.table.schema().items()})
    wanted = [*dict.fromkeys([*wanted, *(name for names in behind.values() for name in names)])]
    with sources.database.reading(view.label):
        cells_as_text = {f"c{k}": as_text(view.table[name]) for k, name in enumerate(wanted)}
        frame = sources.database.fetch(view.table.select(ROW, KEEP, **cells_as_text).order_by(ROW))
    keep = frame[KEEP].to_numpy(zero_copy_only=False)
    cells: dict[str, list[str | None]] = {
        name: np.asarray(frame[f"c{k}"].to_pylist(), dtype=object)[keep].tolist() for k, name in enumerate(wanted)
    }
    drops = [Drop("cohort.where is not true", int((~keep).sum()))] if cohort.where else []
    if not keep.any():
        raise InputError(
            f"{view.label} has no patient left: {view.rows} rows were read"
            + (
                f", cohort.where = {cohort.where!r} is true for none; check its values and units"
                if cohort.where
                else ""
            )
        )
    blank = [cell is None for cell in cells[cohort.id]]
    if all(blank):
        raise InputError(
            f"{view.label} has no patient left: column {cohort.id!r} (cohort.id) is blank in all {len(blank)} rows"
            + (" that cohort.where keeps" if cohort.where else "")
        )
    if any(blank):
        drops.append(Drop(f"blank {cohort.id}", sum(blank)))
        cells = _taken(cells, [not gone for gone in blank])
    ids = [str(cell) for cell in cells[cohort.id]]
    findings += check_rows_of_no_patient(cohort.id, cells, view.label)
    check_unique(ids, cohort.id, view.label)
    if cohort.subject is not None:
        findings += check_persons(cells[cohort.subject], cohort.subject, view.label, sources.show_ids)
    subject = _subjects(cells[cohort.subject or cohort.id], ids)
    notes = [*view.notes]
    blank_subjects = sum(cell is None for cell in cells[cohort.subject or cohort.id])
    if blank_subjects:
        notes.append(f"{blank_subjects} patients have a blank {cohort.subject!r} and count as a person of their own")
    labels = _labels(spec, cells, ids, view.label, like)
    environment = _environment(spec, cells)
    if like is None and SPLIT_KINDS.find(spec.split.kind).needs_holdout and environment is not None:
        check_holdout(spec.split, environment)
    by_column = cells.get(spec.split.column) if spec.split.column else None
    if like is not None:
        assigned = assign_new(spec.split, subject, by_column)
        findings += split_findings(assigned.split, by_column is not None)
    else:
        assigned = assign_split(
            spec.split, subject, strata=strata_of(labels.y), environment=environment, column=by_column
        )
    left_out = [name == LEFT_OUT for name in assigned.split]
    if any(left_out):
        drops.append(
            Drop(assigned.left_out, sum(left_out), [own for own, gone in zip(ids, left_out) if gone][:5], True)
        )
    stay = np.flatnonzero(~np.asarray(left_out))
    pick = stay.tolist()
    survival = None if like is None else like.survival
    if labels.follow_up is not None:
        if survival is None:
            train = np.asarray(assigned.split, dtype=object) == "train"
            survival = cut_intervals(_survival_outcome(spec), labels.follow_up, train, view.label)
        labels = labels_of_intervals(survival, labels.follow_up)
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
        label=view.label,
        own_columns=frozenset(
            name
            for name in (
                *(cohort.id, cohort.subject, spec.split.column, *(cohort.environment or []), *cohort.groups),
                *(name for outcome in spec.outcome for name in outcome.columns),
                *_origins(spec),
            )
            if name is not None
        ),
        receipt=SourceReceipt("cohort", "cohort", view.files, view.rows, len(pick), len(pick), drops, view.duplicates),
        findings=[
            *findings,
            *labels.findings,
            *(Finding("split", spec.split.kind, text) for text in assigned.warnings),
        ],
        outcome_values=labels.values,
        survival=survival,
        follow_up=None if labels.follow_up is None else labels.follow_up.take(stay),
    )
    if like is None:
        check_classes(rows.y, rows.split, rows.outcomes, view.label, cells)
    rows.receipt.notes = [*notes, *labels.notes, *assigned.notes]
    if like is not None and rows.environment_name and like.environment not in (None, rows.environment_name):
        text = (
            f"environments are of {rows.environment_name!r} here and of {like.environment!r} in training; which "
            "of them were trained on is told by equal names alone"
        )
        rows.findings.append(Finding("environment", rows.environment_name, text))
    rows.findings += _spellings(rows, cohort.subject or cohort.id, sources.show_ids)
    for name in dict.fromkeys([*(cohort.environment or []), *cohort.groups]):
        noun = "environments" if name in (cohort.environment or []) else "groups"
        named = Counter(cells[name][row] or UNKNOWN for row in pick)
        blanks = sum(cells[name][row] is None for row in pick)
        rows.findings += find_unknown(name, named, noun, blanks)
    origins = {name: [cells[name][row] for row in pick] for name in _origins(spec)}
    times = {name: [cells[name][row] for row in pick] for names in behind.values() for name in names}
    rows.findings += find_early_outcomes(spec, origins | times, _having(spec, rows))
    rows.table = _patients_table(sources, rows, origins)
    return rows


def _having(spec: CohortSpec, rows: CohortRows) -> dict[str, NDArray[np.bool_]]:
    """By outcome who has it; none of several classes."""
    if rows.follow_up is not None:
        return {spec.outcome[0].name: rows.follow_up.event == 1}
    if rows.y.ndim == 1:
        return {}
    return {outcome.name: rows.y[:, place] == 1 for place, outcome in enumerate(spec.outcome)}


def named_columns(spec: CohortSpec, view: View, like: CohortSchema | None = None) -> list[tuple[str, str]]:
    """The columns of the cohort table that the spec names, each with the field that names it.

    Args:
        spec: The spec.
        view: The cohort table.
        like: As in :func:`read_cohort_table`: columns that new patients may lack are then left out.
    """
    cohort = spec.cohort
    named = [
        (cohort.id, "cohort.id"),
        *([(cohort.subject, "cohort.subject")] if cohort.subject else []),
        *((name, "cohort.environment") for name in cohort.environment or []),
        *((name, "cohort.groups") for name in cohort.groups),
        *((name, "origin of a modality") for name in _origins(spec)),
    ]
    for outcome in spec.outcome:
        for name in outcome.columns:
            if like is None or name in view.columns:
                named.append((name, f"outcome {outcome.name!r}"))
    if spec.split.column is not None and (
        like is None or (SPLIT_KINDS.find(spec.split.kind).by_name and spec.split.column in view.columns)
    ):
        named.append((spec.split.column, "split.column"))
    return named


def _columns(spec: CohortSpec, view: View, like: CohortSchema | None) -> list[str]:
    """The columns of the cohort table that the spec names, each once."""
    return list(dict.fromkeys(view.require(name, field) for name, field in named_columns(spec, view, like)))


def _subjects(cells: Sequence[str | None], ids: Sequence[str]) -> list[str]:
    """The persons; a blank one is a person of its own, under a name that nobody else has."""
    mark = "id "
    while any(cell is not None and cell.startswith(mark) for cell in cells):
        mark = f"blank, {mark}"
    return [mark + own if cell is None else cell for cell, own in zip(cells, ids)]


def _origins(spec: CohortSpec) -> list[str]:
    return sorted({modality.origin for modality in spec.modality if modality.origin is not None})


def _taken(cells: dict[str, list[str | None]], keep: Sequence[bool]) -> dict[str, list[str | None]]:
    return {name: [cell for cell, kept in zip(column, keep) if kept] for name, column in cells.items()}


def check_unique(ids: Sequence[str], column: str, label: str) -> None:
    """Refuses ids that stand more than once in a cohort table.

    Args:
        ids: The ids.
        column: Their column.
        label: The table, for the message.

    Raises:
        InputError: One does.
    """
    seen: set[str] = set()
    repeated = list(dict.fromkeys(own for own in ids if own in seen or seen.add(own)))  # type: ignore[func-returns-value]
    if repeated:
        raise InputError(
            f"{label}: patient ids must be unique, but {len(repeated)} values of {column!r} repeat: {shown(repeated)}. "
            "One row is one patient; filter with cohort.where, or name the person under cohort.subject and take a "
            "finer id"
        )


def _labels(
    spec: CohortSpec, cells: dict[str, list[str | None]], ids: list[str], label: str, like: CohortSchema | None
) -> Labels:
    # of a time to an event one column without the other says nothing
    absent = [name for outcome in spec.outcome for name in outcome.columns if not {*outcome.columns} <= cells.keys()]
    padded: dict[str, list[str | None]] = {**cells, **{column: [None] * len(ids) for column in absent}}
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


def _environment(spec: CohortSpec, cells: dict[str, list[str | None]]) -> list[str] | None:
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


def _spellings(rows: CohortRows, column: str, show_ids: bool) -> list[Finding]:
    """Warnings of persons, environments and groups that are one but for their spelling."""
    found = find_spellings_of_subjects(rows.subject, rows.split, column, show_ids)
    if rows.environment is not None:
        found += find_spellings("environment", Counter(rows.environment), "environments")
    for name, values in rows.groups.items():
        found += find_spellings(f"group {name}", Counter(values), "groups")
    return found


def _plain_integer(own: str) -> int | None:
    """The int64 that is written exactly like an id, or None: ``007``, ``+7``, ``-0`` and ``7.0`` are names."""
    if not own.isascii() or not own.removeprefix("-").isdigit() or len(own) > 20:
        return None
    number = int(own)
    return number if str(number) == own and -(1 << 63) <= number < 1 << 63 else None


def _patients_table(sources: Sources, rows: CohortRows, origins: dict[str, list[str | None]]) -> Any:
    """Stores the patients in the database; origins as text, read together with the times they belong to."""
    plain = [_plain_integer(own) for own in rows.id]
    people = [_plain_integer(own) for own in rows.subject]
    table = pa.table(
        {
            "row": pa.array(range(len(rows.id)), pa.int32()),
            "id": pa.array(rows.id, pa.string()),
            "id_number": pa.array(plain, pa.int64()),
            "subject": pa.array(rows.subject, pa.string()),
            "subject_number": pa.array(people, pa.int64()),
            "train": pa.array(rows.train),
            **{origin_column(name): pa.array(values, pa.string()) for name, values in origins.items()},
        }
    )
    return sources.database.store(sources.database.new_name("patients"), table)
