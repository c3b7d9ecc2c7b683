"""Matching a modality's rows with patients, and keeping account of the rows that fall out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import ibis

from gdsfd.cohort.audit import Drop, SourceReceipt
from gdsfd.cohort.cohort_table import CohortRows
from gdsfd.cohort.minutes import minutes_since
from gdsfd.cohort.sources import KEEP, Sources, View
from gdsfd.cohort.spec import ModalitySpec
from gdsfd.cohort.values import as_text
from gdsfd.errors import InputError, shown

__all__ = ["ID", "MINUTES", "PATIENT", "TRAIN", "Rows", "match_rows"]

ID, PATIENT, TRAIN, MINUTES = "__id", "__patient", "__train", "__minutes"
_KEPT = -1


@dataclass
class Rows:
    """A modality's rows beside their patients, with the reasons why some are dropped.

    Args:
        table: The source's columns and :data:`ID`, :data:`PATIENT` (null: not in the cohort), :data:`TRAIN`,
            :data:`MINUTES` (null without a time).
        view: The source.
        modality: The spec's entry.
        sources: For error messages while DuckDB reads.
        reasons: Conditions, in the order they apply; a row is dropped for the first that is true.
        notes: For the receipt.
    """

    table: Any
    view: View
    modality: ModalitySpec
    sources: Sources
    reasons: list[tuple[Any, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def drop(self, condition: Any, reason: str) -> None:
        """Drops the rows where a condition is true, unless they are already."""
        self.reasons.append((condition, reason))

    @property
    def reason(self) -> Any:
        """Number of the first reason that applies, -1 for rows that are kept; int8."""
        cases = [(condition, ibis.literal(k, "int8")) for k, (condition, _) in enumerate(self.reasons)]
        return ibis.cases(*cases, else_=ibis.literal(_KEPT, "int8")) if cases else ibis.literal(_KEPT, "int8")

    @property
    def kept(self) -> Any:
        """The rows that are kept so far."""
        return self.table.filter(self.reason == _KEPT)

    def fetch(self, expression: Any) -> Any:
        """Runs an expression and returns Arrow; problems of the file become InputErrors."""
        with self.sources.reading(self.view.label):
            return expression.to_pyarrow()

    def counts(self) -> dict[int, int]:
        """Rows by reason number, -1 = kept."""
        counted = self.fetch(self.table.group_by(reason=self.reason).agg(rows=lambda t: t.count()))
        return dict(zip(counted["reason"].to_pylist(), counted["rows"].to_pylist()))

    def receipt(
        self, rows_kept: int | None = None, patients: int = 0, extra: list[Drop] | None = None
    ) -> SourceReceipt:
        """The receipt of what happened, examples included.

        Args:
            rows_kept: Rows that reached the graph; default: those no reason dropped.
            patients: Patients with a kept row.
            extra: Drops beyond the reasons (rare items), taken off the kept rows.

        Raises:
            InputError: Nothing is left, or the ids are of another type than the cohort's.
        """
        counts = self.counts()
        drops = [
            Drop(reason, counts[k], self._examples(k)) for k, (_, reason) in enumerate(self.reasons) if counts.get(k, 0)
        ]
        drops += extra or []
        kept = counts.get(_KEPT, 0) if rows_kept is None else rows_kept
        return SourceReceipt(
            self.modality.name,
            self.modality.kind,
            self.view.files,
            self.view.rows,
            kept,
            patients,
            drops,
            self.view.duplicates,
            [*self.view.notes, *self.notes],
        )

    def _examples(self, number: int) -> list[str]:
        dropped = self.table.filter(self.reason == number).filter(lambda t: t[ID].notnull())
        return self.fetch(dropped.select(ID).distinct().order_by(ID).limit(5))[ID].to_pylist()


def match_rows(
    modality: ModalitySpec, view: View, cohort: CohortRows, sources: Sources, window: tuple[float, float] | None = None
) -> Rows:
    """Puts patients and minutes beside a modality's rows.

    Args:
        modality: The spec's entry.
        view: Its source.
        cohort: The patients.
        sources: Where tables are opened.
        window: Start and end in minutes, in place of the spec's (from a fitted schema).

    Raises:
        InputError: A missing column, ids of another type than the cohort's, an unreadable time.
    """
    source = view.table
    own = source[view.require(modality.id, f"id of modality {modality.name!r}")]
    patients = cohort.table
    by_number = own.type().is_integer()
    prepared = source.mutate(**{ID: as_text(own)})
    linked = patients.select(
        **{PATIENT: patients.row, TRAIN: patients.train, "__key": patients.id_number if by_number else patients.id},
        **{f"__{name}": patients[name] for name in patients.columns if name.startswith("origin_")},
    )
    key = own.cast("int64") if by_number else as_text(own)
    prepared = prepared.mutate(__own_key=key)
    table = prepared.left_join(linked, prepared["__own_key"] == linked["__key"]).drop("__own_key", "__key")
    rows = Rows(table, view, modality, sources)
    if modality.where is not None:
        rows.drop(~table[KEEP], "where is not true")
    rows.drop(table[ID].isnull(), f"blank {modality.id}")
    rows.drop(table[PATIENT].isnull(), "id not in the cohort")
    _check_id_types(rows, cohort)
    if modality.time is not None:
        view.require(modality.time, f"time of modality {modality.name!r}")
        minutes = minutes_since(rows.kept, rows.table, modality, rows.fetch, view.label)
        rows.table = rows.table.mutate(**{MINUTES: minutes})
        rows.drop(rows.table[modality.time].isnull(), f"blank {modality.time}")
        if modality.origin is not None:
            rows.drop(rows.table[MINUTES].isnull(), f"blank {modality.origin} of the patient")
        span = window or modality.window
        if span is not None:
            rows.drop(
                (rows.table[MINUTES] < span[0]) | (rows.table[MINUTES] >= span[1]),
                f"outside the window of {span[0]:g} to {span[1]:g} minutes",
            )
    return rows


def _check_id_types(rows: Rows, cohort: CohortRows) -> None:
    """Ids that differ from the cohort's only by a trailing ``.0`` were read as floats somewhere: say so."""
    unmatched = rows.table.filter(lambda t: t[PATIENT].isnull() & t[ID].notnull()).select(ID).distinct()
    floats_in_cohort = any(own.endswith(".0") for own in cohort.id[:1000])
    bare = unmatched if floats_in_cohort else unmatched.filter(lambda t: t[ID].endswith(".0") | t[ID].contains(".00"))
    bare = bare.mutate(bare=bare[ID].re_replace(r"\.0+$", ""))
    patients = cohort.table
    plain = patients.select("id", bare=patients.id.re_replace(r"\.0+$", ""))
    found = rows.fetch(bare.join(plain, "bare").select(ID, "id").order_by(ID).limit(5))
    if found.num_rows:
        pairs = ", ".join(f"{a!r} against {b!r}" for a, b in zip(found[ID].to_pylist(), found["id"].to_pylist()))
        raise InputError(
            f"ids of modality {rows.modality.name!r} ({rows.view.label}, column {rows.modality.id!r}) and of the cohort "
            f"({cohort.label}) differ only by a trailing '.0': {pairs}. One of the columns was stored as a float; export it as "
            f'text or integer, or derive it: derive = {{{rows.modality.id} = "CAST({rows.modality.id} AS BIGINT)"}}'
        )


def explain_empty(receipt: SourceReceipt) -> InputError:
    """The error for a modality that has nothing left.

    Args:
        receipt: Its receipt.
    """
    what = "; ".join(
        f"{drop.rows} rows: {drop.reason}" + (f" (e.g. {shown(drop.examples, 3)})" if drop.examples else "")
        for drop in receipt.drops
    )
    return InputError(
        f"modality {receipt.name!r} ({', '.join(receipt.source[:3])}) is empty: {receipt.rows_read} rows were read and all dropped"
        + (f": {what}" if what else "")
        + ". Check its id, where, window and missing"
    )
