"""Matching a modality's rows with patients, and keeping account of the rows that fall out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import ibis
import numpy as np
from numpy.typing import NDArray

from gdsfd.cohort.keys.key_cells import check_key_cells
from gdsfd.cohort.keys.near_ids import check_near_ids
from gdsfd.cohort.patients.cohort_rows import CohortRows
from gdsfd.cohort.receipt.receipt import Drop, Finding, SourceReceipt
from gdsfd.cohort.sources.internal_names import (
    ENVIRONMENT,
    ID,
    KEEP,
    MINUTES,
    OWN_KEY,
    PATIENT,
    PREFIX,
    REASON,
    TRAIN,
    origin_column,
)
from gdsfd.cohort.sources.sources import Sources, View
from gdsfd.cohort.sources.values import as_text
from gdsfd.cohort.spec import ModalitySpec
from gdsfd.cohort.times.at_places import FEWEST, PatientsAt, find_clocks_at_places, find_outside_at_places
from gdsfd.cohort.times.findings import find_time_doubts
from gdsfd.cohort.times.minutes import Minutes, read_minutes
from gdsfd.errors import InputError, cell_text, shown

__all__ = ["ID", "MINUTES", "PATIENT", "TRAIN", "MatchedRows", "check_one_row", "match_rows"]

_KEPT = -1
_UNKNOWN_ID = "id not in the cohort"
_WHERE = "where is not true"


class MatchedRows:
    """A modality's rows on their way into the cohort.

    Readers declare why rows are dropped (:meth:`drop_where`), then :meth:`materialize`: dropped rows are counted under
    the first reason that applies and the others go into a table of their own, so that the source is read as rarely as
    possible.

    Args:
        table: Ibis expression of the rows.
        view: Their source.
        modality: The spec's entry.
        cohort: The patients.
        sources: The build's sources.

    Attributes:
        table: The rows; once materialized, those that are left.
        drops: What was dropped so far.
        notes: For the receipt.
        findings: Warnings for the receipt, of all the build's sources.
        declared_missing: What the build's modalities declare missing.
        show_ids: Whether these may name patients.
        read: Rows that were read; a row counts once for each patient of its person where persons have several.
        kept: Rows that are left.
        minutes: What the times of the rows are, where the modality has times.
        outside: The reason of rows outside the window, and the window; None without one.
        lost: Patients with a dropped row, by reason.
        lost_at: Those of each environment (by its number) with a row outside the window.
    """

    def __init__(self, table: Any, view: View, modality: ModalitySpec, cohort: CohortRows, sources: Sources) -> None:
        self.table = table
        self.view = view
        self.modality = modality
        self.cohort = cohort
        self.database = sources.database
        self.drops: list[Drop] = []
        self.notes: list[str] = list(view.notes)
        self.findings = sources.findings
        self.declared_missing = sources.declared_missing
        self.show_ids = sources.show_ids
        self.read = self.kept = view.rows
        self.minutes: Minutes | None = None
        self.outside: tuple[str, tuple[float, float]] | None = None
        self.lost: dict[str, int] = {}
        self.lost_at: dict[int, PatientsAt] = {}
        self._pending: list[tuple[Any, str]] = []

    def drop_where(self, condition: Any, reason: str) -> None:
        """Declares a reason; null counts as False.

        Args:
            condition: Ibis expression over :attr:`table`.
            reason: For the receipt.
        """
        self._pending.append((condition, reason))

    @property
    def pending_view(self) -> Any:
        """The rows that no reason declared so far drops, as an expression.

        One condition per reason, not one on the reason's number: so the database leaves rows out before it matches them
        with patients and reads their times.
        """
        kept = [~condition.fill_null(False) for condition, _ in self._pending]
        return self.table.filter(*kept) if kept else self.table

    def materialize(self, columns: Mapping[str, Any]) -> dict[str, int]:
        """Drops what was declared and keeps the given columns of the other rows.

        Args:
            columns: Name -> Ibis expression over :attr:`table`; patient and train are kept besides. The names may be a
                user's.

        Returns:
            Rows dropped by reason.

        Raises:
            InputError: Ids differ from the cohort's only in their spelling.
        """
        before = self.table
        kept_columns = [column.name(name) for name, column in columns.items()]
        query = self.database.sql(self.pending_view.select(PATIENT, TRAIN, *kept_columns))
        name = self.database.new_name("rows")
        dropped: dict[str, int] = {}
        with self.database.reading(self.view.label):
            self.database.run(f"CREATE TABLE {name} AS {query}")
            kept = self.database.count(name)
            if kept < self.kept:
                dropped = self._count_dropped(name)
        if dropped.get(_UNKNOWN_ID):
            known = self.cohort.subject if by_subject(self.modality) else self.cohort.id
            check_near_ids(self._unknown_ids(before), self.modality, self.view.label, known, self.cohort.label)
        self._pending = []
        self.kept = kept
        self.table = self.database.table(name)
        return dropped

    def _unknown_ids(self, before: Any) -> list[str]:
        """The ids that no patient has, each once, of rows that ``where`` keeps."""
        unknown = before.filter(before[PATIENT].isnull() & before[ID].notnull() & before[KEEP])
        return [str(own) for own in self.fetch(unknown.select(unknown[ID].name("own")).distinct())["own"].to_pylist()]

    def _reason(self) -> Any:
        """Number of the first reason that applies, -1 for rows that are kept; int8."""
        cases = [(condition, ibis.literal(k, "int8")) for k, (condition, _) in enumerate(self._pending)]
        kept = ibis.literal(_KEPT, "int8")
        return ibis.cases(*cases, else_=kept) if cases else kept

    def _count_dropped(self, kept: str) -> dict[str, int]:
        """Counts dropped rows and their patients.

        Args:
            kept: The table of the rows that are kept.
        """
        own = ID if ID in self.table.columns else PATIENT
        place = self.table[ENVIRONMENT] if ENVIRONMENT in self.table.columns else ibis.null("int32")
        timed = MINUTES in self.table.columns
        minutes = self.table[MINUTES] if timed else ibis.null("float64")
        values = {"own": self.table[own].cast("string"), "place": place, "minutes": minutes, REASON: self._reason()}
        judged = self.database.sql(self.table.select(PATIENT, **values))
        start = self.outside[1][0] if self.outside else 0.0
        of_patients = (
            f"SELECT {REASON}, place, own, max({PATIENT}) AS patient, count(*) AS own_rows, min(minutes) AS earliest "
            f"FROM ({judged}) WHERE {REASON} <> {_KEPT} GROUP BY 1, 2, 3"
        )
        counted = self.database.rows(
            f"SELECT {REASON}, place, sum(own_rows), min(own, 5), count(own), "
            "sum(CASE WHEN kept_patient IS NULL THEN 1 ELSE 0 END), "
            f"sum(CASE WHEN earliest < {start!r} THEN 1 ELSE 0 END), min(earliest) FROM ({of_patients}) LEFT JOIN "
            f"(SELECT DISTINCT {PATIENT} AS kept_patient FROM {kept}) ON patient = kept_patient GROUP BY 1, 2 "
            "ORDER BY 1, 2"
        )
        dropped: dict[str, int] = {}
        first: dict[str, list[str]] = {}
        for number, at, count, owners, patients, alone, before, earliest in counted:
            reason = self._pending[number][1]
            self.lost[reason] = self.lost.get(reason, 0) + int(patients)
            dropped[reason] = dropped.get(reason, 0) + int(count)
            first[reason] = sorted([*first.get(reason, []), *(owners or [])])[:5]
            if at is not None and self.outside is not None and reason == self.outside[0]:
                self.lost_at[int(at)] = PatientsAt(0, int(patients), int(alone), int(before), float(earliest))
        for reason, count in dropped.items():
            examples = first[reason] if own == ID else [self.cohort.id[int(row)] for row in first[reason]]
            self.drops.append(Drop(reason, count, examples, True))
        return dropped

    def named(self, table: Any) -> Any:
        """A materialized table with the patients' ids beside it, under :data:`ID`, for messages."""
        patients = self.cohort.table
        return table.join(patients.select(**{PATIENT: patients.row, ID: patients.id}), PATIENT)

    def count_per_patient(self) -> None:
        """Counts rows anew where persons have several patients, each of which gets the person's rows."""
        if len(set(self.cohort.subject)) == len(self.cohort.subject):
            return
        every = self.table[ID].isnull().count()  # Spark's plan wants a column named
        self.read = self.kept = int(self.fetch_row(self.table, rows=every)["rows"])
        if self.read != self.view.rows:
            self.notes.append(
                f"{self.view.rows:,} rows are of persons, some of whom are several patients: counted once for each "
                f"patient, {self.read:,}"
            )

    def fetch(self, expression: Any) -> Any:
        """Runs an expression and returns Arrow; problems of the source become InputErrors."""
        with self.database.reading(self.view.label):
            return self.database.fetch(expression)

    def fetch_row(self, table: Any, **values: Any) -> dict[str, Any]:
        """Aggregates over a table, as one dict; nulls become 0."""
        row = self.fetch(table.aggregate(**values)).to_pylist()[0] if values else {}
        return {name: 0 if value is None else value for name, value in row.items()}

    def receipt(self, patients: int, must_have_rows: bool) -> SourceReceipt:
        """What happened.

        Args:
            patients: Patients with a kept row.
            must_have_rows: Whether to raise when nothing is left.

        Raises:
            InputError: Nothing is left; the message lists what dropped the rows.
        """
        if must_have_rows and not patients:
            reasons = "; ".join(
                f"{drop.rows} rows: {drop.reason}" + (f" (e.g. {shown(drop.examples, 3)})" if drop.examples else "")
                for drop in self.drops
            )
            raise InputError(
                f"modality {self.modality.name!r} ({self.view.label}) is empty: of {self.read} rows read none was "
                "kept" + (f": {reasons}" if reasons else "") + ". Check its id, where, window and missing"
            )
        if self.minutes is not None:
            reason, window = self.outside or ("", None)
            lost = self.lost.get(reason, 0)
            self.findings += find_time_doubts(self.modality, self.minutes, window, patients, lost)
            self.findings += self._times_at_places(window)
        self._judge_match(patients)
        return SourceReceipt(
            name=self.modality.name,
            kind=self.modality.kind,
            source=self.view.files,
            rows_read=self.read,
            rows_kept=self.kept,
            patients=patients,
            drops=self.drops,
            duplicates=self.view.duplicates,
            notes=self.notes,
        )

    def _times_at_places(self, window: tuple[float, float] | None) -> list[Finding]:
        """Warnings of environments whose times are not as those of the others are."""
        environment = self.cohort.environment
        if environment is None or self.minutes is None or len(set(environment)) < 2:
            return []
        patients = np.asarray(self.fetch(self.table.select(PATIENT).distinct())[PATIENT].to_numpy(), dtype=np.int64)
        kept = Counter(np.asarray(environment, dtype=object)[patients].tolist())
        names = dict(enumerate(sorted(set(environment))))
        at = {place: replace(self.lost_at.get(place, PatientsAt()), kept=kept[name]) for place, name in names.items()}
        found = find_clocks_at_places(
            self.modality, self.minutes, names, {place: counts.having for place, counts in at.items()}
        )
        if window is not None and max(counts.lost for counts in at.values()) >= FEWEST:
            found += find_outside_at_places(self.modality, window, {names[place]: at[place] for place in at})
        return found

    def _judge_match(self, patients: int) -> None:
        """Warns where most rows are of ids that the cohort has not, and most patients have nothing."""
        unknown = next((drop for drop in self.drops if drop.reason == _UNKNOWN_ID), None)
        if unknown is None:
            return
        earlier = (_WHERE, f"blank {self.modality.id}")
        read = self.read - sum(drop.rows for drop in self.drops if drop.reason in earlier)
        if unknown.rows > read / 2 and patients < len(self.cohort.id) / 2:
            named = f" (e.g. {shown(unknown.examples, 3)})" if self.show_ids else ""
            text = (
                f"{unknown.rows:,} of {read:,} rows are of ids that the cohort has not{named}, and only {patients:,} "
                f"of {len(self.cohort.id):,} patients have it: is {self.modality.id!r} the id that the cohort has?"
            )
            self.findings.append(Finding("match", self.modality.name, text, patients / len(self.cohort.id)))


def match_rows(
    modality: ModalitySpec,
    view: View,
    cohort: CohortRows,
    sources: Sources,
    *,
    source: Any = None,
    window: tuple[float, float] | None = None,
) -> MatchedRows:
    """Puts patients and minutes beside a modality's rows, and declares those without a patient or a time dropped.

    Args:
        modality: The spec's entry.
        view: Its source.
        cohort: The patients.
        sources: The build's sources.
        source: The view's rows with more columns; default: as they are.
        window: Start and end in minutes, in place of the spec's (from a fitted schema).

    Returns:
        The rows, not materialized yet: the source's columns, :data:`ID`, :data:`PATIENT`, :data:`TRAIN`, and
        :data:`MINUTES` where the modality has a time.

    Raises:
        InputError: A missing column, an unreadable time.
    """
    table = view.table if source is None else source
    own = table[view.require(modality.id, f"id of modality {modality.name!r}")]
    check_key_cells(view, modality.id, f"id of modality {modality.name!r}", sources, exact=True)
    by_number = own.type().is_integer() and not own.type().is_uint64()  # half of those are beyond an int64
    patients = cohort.table
    key = f"{OWN_KEY}_of_patient"
    name = "subject" if by_subject(modality) else "id"
    linked = patients.select(
        patients[f"{name}_number" if by_number else name].name(key),
        patients.row.name(PATIENT),
        patients.train.name(TRAIN),
        *(name for name in patients.columns if name.startswith(PREFIX)),
    )
    prepared = table.mutate(
        (own.cast("int64") if by_number else as_text(own)).name(OWN_KEY),
        as_text(own).name(ID),
    )
    joined = prepared.left_join(linked, prepared[OWN_KEY] == linked[key]).drop(OWN_KEY, key)
    rows = MatchedRows(joined, view, modality, cohort, sources)
    if by_subject(modality):
        rows.count_per_patient()
    if modality.where is not None:
        rows.drop_where(~joined[KEEP], _WHERE)
    rows.drop_where(joined[ID].isnull(), f"blank {modality.id}")
    rows.drop_where(joined[PATIENT].isnull(), _UNKNOWN_ID)
    if modality.time is not None:
        view.require(modality.time, f"time of modality {modality.name!r}")
        _apply_time(rows, modality, window or modality.window)
    return rows


def by_subject(modality: ModalitySpec) -> bool:
    """Whether a modality's id names the person, all of whose patients get the row."""
    return getattr(modality, "match", None) == "subject"


def _apply_time(rows: MatchedRows, modality: ModalitySpec, window: tuple[float, float] | None) -> None:
    """Adds minutes and declares rows without a time or outside the window dropped."""
    with_origin = [] if modality.origin is None else [origin_column(modality.origin)]
    place = [] if rows.cohort.environment is None else [ENVIRONMENT]
    names = dict.fromkeys([modality.time, *with_origin, *place])
    pending = rows.database.view(rows.pending_view.select(ID, *names))
    read = read_minutes(pending, rows.table, modality, rows.fetch, rows.view.label)
    rows.minutes = read
    rows.table = rows.table.mutate(**{MINUTES: read.expression})
    rows.drop_where(rows.table[modality.time].isnull(), f"blank {modality.time}")
    if modality.origin is not None:
        rows.drop_where(
            rows.table[origin_column(modality.origin)].isnull(), f"the patient's {modality.origin} is blank"
        )
    rows.drop_where(rows.table[MINUTES].isnull(), f"{modality.time} is not finite")
    if window is not None:
        outside = (rows.table[MINUTES] < window[0]) | (rows.table[MINUTES] >= window[1])
        reason = f"outside the window of {window[0]:g} to {window[1]:g} minutes"
        rows.drop_where(outside, reason)
        rows.outside = reason, window


def check_one_row(patient: NDArray[np.int64], rows: MatchedRows) -> None:
    """Raises an InputError when a patient has several kept rows.

    Args:
        patient: Row of the cohort of each kept row; [R].
        rows: Where they come from.
    """
    owner, counts = np.unique(patient, return_counts=True)
    repeated = sorted((rows.cohort.id[row], int(count)) for row, count in zip(owner, counts) if count > 1)
    if repeated:
        listed = ", ".join(f"{cell_text(own)} ({count} rows)" for own, count in repeated[:5])
        raise InputError(
            f"modality {rows.modality.name!r} ({rows.view.label}): {len(repeated)} patients have more than one row: "
            f"{listed}. Kind "
            f"{rows.modality.kind!r} takes one row per patient; choose it with where, or read the source as events "
            "or codes"
        )
