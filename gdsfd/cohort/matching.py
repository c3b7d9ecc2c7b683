"""Matching a modality's rows with patients, and keeping account of the rows that fall out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import ibis

from gdsfd.cohort.audit import Drop, SourceReceipt
from gdsfd.cohort.cohort_table import CohortRows
from gdsfd.cohort.id_types import check_id_types
from gdsfd.cohort.minutes import read_minutes
from gdsfd.cohort.sources import Sources, View
from gdsfd.cohort.spec import ModalitySpec
from gdsfd.cohort.user_sql import KEEP
from gdsfd.cohort.values import as_text
from gdsfd.errors import InputError, shown

__all__ = ["ID", "MINUTES", "PATIENT", "TRAIN", "Rows", "match_rows"]

#: Columns beside the source's own: id as text, row of the cohort, whether the patient trains, minutes since the origin.
ID, PATIENT, TRAIN, MINUTES = "__id", "__patient", "__train", "__minutes"
_REASON = "__reason"
_KEPT = -1


class Rows:
    """A modality's rows on their way into the cohort.

    Readers declare why rows are dropped (:meth:`drop`), then :meth:`settle`: dropped rows are counted under the first
    reason that applies and the others go into a table of their own, so that no row is looked at twice.

    Args:
        table: Ibis expression of the rows.
        view: Their source.
        modality: The spec's entry.
        sources: The build's sources.

    Attributes:
        table: The rows that are left.
        drops: What was dropped so far.
        notes: For the receipt.
        kept: Rows that are left.
    """

    def __init__(self, table: Any, view: View, modality: ModalitySpec, sources: Sources) -> None:
        self.table = table
        self.view = view
        self.modality = modality
        self.sources = sources
        self.drops: list[Drop] = []
        self.notes: list[str] = list(view.notes)
        self.kept = view.rows
        self._pending: list[tuple[Any, str]] = []

    def drop(self, condition: Any, reason: str) -> None:
        """Declares a reason; null counts as False.

        Args:
            condition: Ibis expression over :attr:`table`.
            reason: For the receipt.
        """
        self._pending.append((condition, reason))

    def settle(self, **columns: Any) -> dict[str, int]:
        """Drops what was declared and keeps the given columns of the other rows.

        Args:
            columns: Name -> Ibis expression over :attr:`table`; id, patient and train are kept besides.

        Returns:
            Rows dropped by reason.
        """
        database = self.sources.database
        cases = [(condition, ibis.literal(k, "int8")) for k, (condition, _) in enumerate(self._pending)]
        kept = ibis.literal(_KEPT, "int8")
        reason = ibis.cases(*cases, else_=kept) if cases else kept
        own = {name: self.table[name] for name in (ID, PATIENT, TRAIN)}
        judged = database.sql(self.table.select(**own, **columns, **{_REASON: reason}))
        name = database.new_name("rows")
        dropped: dict[str, int] = {}
        with database.reading(self.view.label):
            database.run(
                f"CREATE TABLE {name} AS SELECT * EXCLUDE ({_REASON}) FROM ({judged}) WHERE {_REASON} = {_KEPT}"
            )
            kept_rows = database.count(name)
            if self._pending and kept_rows < self.kept:
                counted = database.rows(
                    f"SELECT {_REASON}, count(*), min({ID}, 64) FROM ({judged}) WHERE {_REASON} <> {_KEPT} GROUP BY "
                    "1 ORDER BY 1"
                )
                for number, count, ids in counted:
                    text = self._pending[number][1]
                    dropped[text] = int(count)
                    self.drops.append(Drop(text, int(count), list(dict.fromkeys(ids or []))[:5]))
        self._pending = []
        self.kept = kept_rows
        self.table = database.table(name)
        return dropped

    def fetch(self, expression: Any) -> Any:
        """Runs an expression and returns Arrow; problems of the source become InputErrors."""
        with self.sources.database.reading(self.view.label):
            return self.sources.database.fetch(expression)

    def fetch_row(self, **values: Any) -> dict[str, Any]:
        """Aggregates over :attr:`table`, as one dict; nulls become 0."""
        row = self.fetch(self.table.aggregate(**values)).to_pylist()[0] if values else {}
        return {name: 0 if value is None else value for name, value in row.items()}

    def receipt(self, patients: int, must_have_rows: bool) -> SourceReceipt:
        """What happened.

        Args:
            patients: Patients with a kept row.
            must_have_rows: Whether to raise when nothing is left.

        Raises:
            InputError: Nothing is left; the message lists what dropped the rows.
        """
        receipt = SourceReceipt(
            name=self.modality.name,
            kind=self.modality.kind,
            source=self.view.files,
            rows_read=self.view.rows,
            rows_kept=self.kept,
            patients=patients,
            drops=self.drops,
            duplicates=self.view.duplicates,
            notes=self.notes,
        )
        if must_have_rows and not patients:
            reasons = "; ".join(
                f"{drop.rows} rows: {drop.reason}" + (f" (e.g. {shown(drop.examples, 3)})" if drop.examples else "")
                for drop in self.drops
            )
            raise InputError(
                f"modality {self.modality.name!r} ({self.view.label}) is empty: of {self.view.rows} rows read none "
                "was kept" + (f": {reasons}" if reasons else "") + ". Check its id, where, window and missing"
            )
        return receipt


def match_rows(
    modality: ModalitySpec,
    view: View,
    cohort: CohortRows,
    sources: Sources,
    columns: Sequence[str],
    window: tuple[float, float] | None = None,
) -> Rows:
    """Puts patients and minutes beside a modality's rows, and drops those without a patient or outside the window.

    Args:
        modality: The spec's entry.
        view: Its source.
        cohort: The patients.
        sources: The build's sources.
        columns: Columns of the source that the reader needs.
        window: Start and end in minutes, in place of the spec's (from a fitted schema).

    Returns:
        The rows, with the columns asked for, and :data:`MINUTES` where the modality has a time.

    Raises:
        InputError: A missing column, ids of another type than the cohort's, an unreadable time.
    """
    source = view.table
    own = source[view.require(modality.id, f"id of modality {modality.name!r}")]
    needed = [*columns]
    if modality.time is not None:
        needed.append(view.require(modality.time, f"time of modality {modality.name!r}"))
    by_number = own.type().is_integer()
    patients = cohort.table
    linked = patients.select(
        __key=patients.id_number if by_number else patients.id,
        **{PATIENT: patients.row, TRAIN: patients.train},
        **{name: patients[name] for name in patients.columns if name.startswith("__origin_")},
    )
    prepared = source.mutate(__own_key=own.cast("int64") if by_number else as_text(own), **{ID: as_text(own)})
    table = prepared.left_join(linked, prepared["__own_key"] == linked["__key"])
    rows = Rows(table, view, modality, sources)
    if modality.where is not None:
        rows.drop(~table[KEEP], "where is not true")
    rows.drop(table[ID].isnull(), f"blank {modality.id}")
    unknown = "id not in the cohort"
    rows.drop(table[PATIENT].isnull(), unknown)
    carried = {name: table[name] for name in dict.fromkeys(needed)}
    if modality.origin is not None:
        carried[f"__origin_{modality.origin}"] = table[f"__origin_{modality.origin}"]
    dropped = rows.settle(**carried)
    if dropped.get(unknown):
        check_id_types(table, modality, view.label, cohort, rows.fetch)
    if modality.time is not None:
        _apply_time(rows, modality, columns, window)
    return rows


def _apply_time(rows: Rows, modality: ModalitySpec, columns: Sequence[str], window: tuple[float, float] | None) -> None:
    """Adds minutes and drops rows without a time or outside the window."""
    minutes = read_minutes(rows.table, modality, rows.fetch, rows.view.label)
    rows.table = rows.table.mutate(**{MINUTES: minutes})
    rows.drop(rows.table[modality.time].isnull(), f"blank {modality.time}")
    if modality.origin is not None:
        rows.drop(rows.table[f"__origin_{modality.origin}"].isnull(), f"the patient's {modality.origin} is blank")
    rows.drop(rows.table[MINUTES].isnull(), f"{modality.time} is not finite")
    span = window or modality.window
    if span is not None:
        outside = (rows.table[MINUTES] < span[0]) | (rows.table[MINUTES] >= span[1])
        rows.drop(outside, f"outside the window of {span[0]:g} to {span[1]:g} minutes")
    rows.settle(**{MINUTES: rows.table[MINUTES]}, **{name: rows.table[name] for name in dict.fromkeys(columns)})
