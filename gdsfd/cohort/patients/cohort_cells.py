"""Cells of the cohort table: the columns that a spec names, of the rows that are patients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from gdsfd.cohort.checks.early_outcomes import columns_behind
from gdsfd.cohort.keys.key_cells import check_key_cells
from gdsfd.cohort.patients.follow_up import check_durations
from gdsfd.cohort.patients.new_patients import without_absent
from gdsfd.cohort.patients.rows_of_no_patient import check_rows_of_no_patient
from gdsfd.cohort.patients.split_kind import SPLIT_KINDS
from gdsfd.cohort.receipt.receipt import Drop, Finding
from gdsfd.cohort.schema import CohortSchema
from gdsfd.cohort.sources.internal_names import KEEP, ROW
from gdsfd.cohort.sources.sources import Sources, View
from gdsfd.cohort.sources.values import as_text
from gdsfd.cohort.spec import CohortSpec, SurvivalSpec
from gdsfd.errors import InputError, shown

__all__ = ["CohortCells", "check_unique", "named_columns", "origins", "read_cells"]


@dataclass
class CohortCells:
    """The cohort table as text, one row per patient in the order of the source.

    Args:
        spec: The spec, without what new patients lack.
        view: The source as opened.
        cells: Column -> its cells, None = blank; those of ``id`` are never blank, and differ.
        timed: Columns that outcomes are made of and that may hold their times.
        drops: Rows that are no patients, with reasons.
        findings: Warnings.
    """

    spec: CohortSpec
    view: View
    cells: dict[str, list[str | None]]
    timed: list[str]
    drops: list[Drop] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    @property
    def ids(self) -> list[str]:
        """The patients' ids."""
        return [str(cell) for cell in self.cells[self.spec.cohort.id]]


def read_cells(spec: CohortSpec, sources: Sources, like: CohortSchema | None = None) -> CohortCells:
    """Reads the named columns of the rows that ``cohort.where`` keeps and that have an id.

    Args:
        spec: The spec.
        sources: Where tables are opened.
        like: Of new patients: the fitted schema. They may lack what no model needs.

    Raises:
        InputError: A missing column, a cell that cannot be a key, no patient left, a repeated id.
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
    timed = [*dict.fromkeys(name for names in behind.values() for name in names)]
    wanted = [*dict.fromkeys([*wanted, *timed])]
    with sources.database.reading(view.label):
        cells_as_text = {f"c{k}": as_text(view.table[name]) for k, name in enumerate(wanted)}
        frame = sources.database.fetch(view.table.select(ROW, KEEP, **cells_as_text).order_by(ROW))
    keep = frame[KEEP].to_numpy(zero_copy_only=False)
    kept = {name: np.asarray(frame[f"c{k}"].to_pylist(), dtype=object)[keep].tolist() for k, name in enumerate(wanted)}
    read = CohortCells(spec, view, kept, timed, findings=findings)
    if cohort.where:
        read.drops.append(Drop("cohort.where is not true", int((~keep).sum())))
    if not keep.any():
        raise InputError(
            f"{view.label} has no patient left: {view.rows} rows were read"
            + (
                f", cohort.where = {cohort.where!r} is true for none; check its values and units"
                if cohort.where
                else ""
            )
        )
    _leave_out_blank_ids(read)
    read.findings += check_rows_of_no_patient(cohort.id, read.cells, view.label)
    check_unique(read.ids, cohort.id, view.label)
    return read


def _leave_out_blank_ids(read: CohortCells) -> None:
    cohort = read.spec.cohort
    blank = [cell is None for cell in read.cells[cohort.id]]
    if all(blank):
        raise InputError(
            f"{read.view.label} has no patient left: column {cohort.id!r} (cohort.id) is blank in all {len(blank)} rows"
            + (" that cohort.where keeps" if cohort.where else "")
        )
    if any(blank):
        read.drops.append(Drop(f"blank {cohort.id}", sum(blank)))
        read.cells = {
            name: [cell for cell, gone in zip(column, blank) if not gone] for name, column in read.cells.items()
        }


def named_columns(spec: CohortSpec, view: View, like: CohortSchema | None = None) -> list[tuple[str, str]]:
    """The columns of the cohort table that the spec names, each with the field that names it.

    Args:
        spec: The spec.
        view: The cohort table.
        like: Of new patients: the fitted schema; columns that new patients may lack are left out.
    """
    cohort = spec.cohort
    named = [
        (cohort.id, "cohort.id"),
        *([(cohort.subject, "cohort.subject")] if cohort.subject else []),
        *((name, "cohort.environment") for name in cohort.environment or []),
        *((name, "cohort.groups") for name in cohort.groups),
        *((name, "origin of a modality") for name in origins(spec)),
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


def origins(spec: CohortSpec) -> list[str]:
    """Columns of the cohort table that times of modalities count from."""
    return sorted({modality.origin for modality in spec.modality if modality.origin is not None})


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
