"""From tables and what the user says to a proposal."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gdsfd.errors import InputError, near_names
from gdsfd.first_spec.cohort_entries import cohort_entry, join_entry, outcome_entry, split_entry
from gdsfd.first_spec.keys import find_keys, link_of
from gdsfd.first_spec.kinds import KindGuess, guess_kind, is_hierarchy
from gdsfd.first_spec.known import Known, Linked
from gdsfd.first_spec.layouts import LAYOUTS, Layout, TableHint, recognised
from gdsfd.first_spec.leaks import table_leak
from gdsfd.first_spec.look_ups import find_look_ups
from gdsfd.first_spec.modality_entries import modality_entry, own_entries
from gdsfd.first_spec.outcomes import find_outcome, label_values
from gdsfd.first_spec.proposal import Entry, Proposal, Request
from gdsfd.first_spec.sample import ExportTable
from gdsfd.first_spec.times import TimeGuess, guess_origin, guess_time, minutes_since_origin
from gdsfd.first_spec.windows import prediction_time

__all__ = ["propose"]


def propose(tables: Sequence[ExportTable], request: Request, base_dir: Path) -> Proposal:
    """Proposes a spec.

    Args:
        tables: The export.
        request: What the user says.
        base_dir: The folder that the spec will be in; paths are written relative to it.

    Raises:
        InputError: The outcome, the id or their values cannot be told.
    """
    layout = recognised(tables, LAYOUTS) or Layout("", ())
    holder, column = find_outcome(tables, request.outcome)
    cohort = _cohort_table(tables, request, holder)
    wanted = request.id or (cohort.column(layout.id) if layout.id else None)
    if request.id is not None and cohort.column(request.id) is None:
        raise InputError(
            f"--id {request.id}: {cohort.name} has no such column.{near_names(request.id, cohort.columns)}"
        )
    if wanted is not None and request.id is None and not cohort.facts[wanted].unique:
        wanted = None
    parts = layout.parts if layout.parts and all(cohort.column(part) for part in layout.parts) else ()
    keys = find_keys(tables, cohort, cohort.column(wanted), () if request.id else parts)
    if wanted is not None:
        keys.why_id = "as told" if request.id else "what one prediction is made for, as known of this layout"
    if layout.subject and cohort.column(layout.subject) and cohort.column(layout.subject) != keys.id:
        keys.subject, keys.why_subject = cohort.column(layout.subject), "the person, as known of this layout"
    outcome = label_values(
        holder, column, request.positive, request.negative, request.classes, joined=holder is not cohort
    )
    known = Known(request, layout, base_dir, tables, keys, outcome)
    known.look_ups = find_look_ups(tables, keys, holder, column, layout)
    known.labels = _labels(known, holder, column)
    unused: dict[str, str] = {}
    linked = _linked(known, unused)
    return _assembled(known, linked, unused)


def _labels(known: Known, holder: ExportTable, column: str) -> list[dict[str, bool]]:
    """Who has the outcome, and of several classes each of them, of the rows looked at."""
    cohort, keys, outcome = known.keys.table, known.keys, known.outcome
    if keys.parts:
        return []
    cells = cohort.cells(column) if holder is cohort else _beside(known, holder, column)
    pairs = list(zip(cohort.cells(keys.id), cells))
    each = range(len(outcome.classes)) if len(outcome.classes) > 2 else range(1)
    return [
        {str(own): label for own, cell in pairs if (label := outcome.label(cell, number)) is not None}
        for number in each
    ]


def _beside(known: Known, holder: ExportTable, column: str) -> list[str | None]:
    """The outcome's cells of another table, in the order of the cohort's rows."""
    on = next((one.on for one in known.look_ups if one.table is holder), None)
    if on is None:
        return []
    cell_of = dict(zip(holder.cells(on), holder.cells(column)))
    return [cell_of.get(key) for key in known.keys.table.cells(on)]


def _cohort_table(tables: Sequence[ExportTable], request: Request, holder: ExportTable) -> ExportTable:
    if request.cohort is None:
        return holder
    found = [table for table in tables if table.name.casefold() == request.cohort.casefold()]
    if not found:
        names = [table.name for table in tables]
        raise InputError(f"--cohort {request.cohort}: there is no such table.{near_names(request.cohort, names)}")
    return found[0]


def _linked(known: Known, unused: dict[str, str]) -> list[Linked]:
    """The tables that belong to patients, with kind and time; why the others do not goes to ``unused``."""
    found: list[Linked] = []
    for table in known.tables:
        if table is known.keys.table:
            continue
        if table is known.outcome.table:
            unused[table.name] = "it holds the outcome, which is put beside the cohort's rows"
            continue
        hint = known.layout.hint(table)
        link = link_of(table, known.keys)
        if link is None or not link.patients:
            unused[table.name] = _why_unlinked(table, known)
            continue
        if len(table.columns) + len(table.nested) < 2:
            unused[table.name] = "it holds nothing but ids"
            continue
        others = {known.keys.subject, *(one.on for one in known.look_ups)} - {None}
        kind = guess_kind(table, link, [str(table.column(str(name))) for name in others if table.column(str(name))])
        _as_hinted(kind, hint)
        if kind.kind is None:
            leaks = (hint.leave_out if hint is not None else None) or table_leak(table)
            unused[table.name] = leaks or "; ".join(kind.notes)
            continue
        code = kind.fields.get("code")
        if isinstance(code, str) and code in table.facts and is_hierarchy(table.facts[code]):
            kind.fields["separator"] = "|"
            kind.notes.append("with the separator, a|b|c also counts as a|b and as a")
        never = [str(kind.fields[name]) for name in ("value", "item", "code") if name in kind.fields]
        time = _time(table, kind, hint, never)
        found.append(Linked(table, link, kind, hint, time))
    return found


def _why_unlinked(table: ExportTable, known: Known) -> str:
    look_up = next((one for one in known.look_ups if one.table is table), None)
    if look_up is not None:
        return f"but columns put beside the cohort's rows by {look_up.on}"
    if known.keys.subject and table.column(known.keys.subject):
        return (
            f"it has {known.keys.subject} but no {known.keys.id}: a row of a person belongs to several patients, and "
            f"to which "
            "it does not say"
        )
    return f"no column holds ids of patients ({known.keys.id})"


def _as_hinted(kind: KindGuess, hint: TableHint | None) -> None:
    """What is known of a table takes the place of what was guessed."""
    if hint is None:
        return
    if hint.kind is not None and hint.kind != kind.kind:
        kind.kind, kind.fields, kind.derive, kind.notes = hint.kind, {}, {}, ["known of this layout"]
    for name in ("item", "value", "code"):
        given = getattr(hint, name)
        if given is not None:
            if kind.fields.get(name) != given:
                kind.notes = [*kind.notes[:1], "known of this layout"]
            kind.fields[name] = given
    kind.derive |= {name: sql for name, sql in hint.derive.items() if name != hint.time}


def _time(table: ExportTable, kind: KindGuess, hint: TableHint | None, never: Sequence[str]) -> TimeGuess | None:
    derived = hint is not None and hint.time is not None and hint.time in hint.derive
    preferred = [hint.time] if hint is not None and hint.time is not None else []
    guess = guess_time(table, kind.kind == "events", preferred, never)
    if derived and guess is not None and hint is not None and hint.time is not None:
        guess.column, guess.derive = hint.time, {hint.time: hint.derive[hint.time]}
    return guess


def _assembled(known: Known, linked: list[Linked], unused: dict[str, str]) -> Proposal:
    keys, layout = known.keys, known.layout
    timed = [one for one in linked if one.time is not None]
    owners = {one.table.name: keys.owners(one.table, one.link.column) for one in timed}
    stamped = [
        (one.table, owners[one.table.name], one.time.read[0])
        for one in timed
        if one.time and one.time.form == "timestamp"
    ]
    ids = keys.owners(keys.table, keys.id)
    if stamped or layout.origin:
        known.origin = guess_origin(keys.table, layout.origin, ids, stamped)
    starts = None if known.origin is None else dict(zip(ids, keys.table.cells(known.origin)))
    begun = None if known.origin is None else keys.table.facts[known.origin]
    for one in timed:
        if one.time is not None and (one.time.form != "timestamp" or starts is not None):
            since = (starts, begun) if one.time.form == "timestamp" else (None, None)
            one.lags = minutes_since_origin(one.table, owners[one.table.name], one.time.read[0], *since)
    known.end, why_end = prediction_time([one.lags for one in timed], known.request.hours, layout.hours)
    cohort = cohort_entry(known, any(one.time and one.time.form == "timestamp" for one in timed))
    split = split_entry(known)
    entries = [modality_entry(known, one, bool(timed)) for one in linked]
    taken = any(entry.left_out is None for entry in entries)
    own = own_entries(known, split=not taken)
    head = _head(known, why_end if timed else None)
    proposal = Proposal(head, cohort, outcome_entry(known), split, modalities=[*own, *entries], unused=unused)
    proposal.joins = [join_entry(known, one) for one in known.look_ups]
    _tell_apart(proposal.modalities)
    return proposal


def _tell_apart(entries: list[Entry]) -> None:
    seen: set[str] = set()
    for entry in entries:
        while entry.name in seen:
            entry.fields["name"] = f"{entry.name}_2"
        seen.add(entry.name)


def _head(known: Known, why_end: str | None) -> list[str]:
    title = f"{known.layout.title}, recognised by its columns" if known.layout.title else "A first spec"
    lines = [
        f"{title}: {known.outcome.name}. Written by gdsfd init from headers and first rows: every field below is a "
        f"guess with "
        "its reason above it. Read them, change what is wrong, then run gdsfd check and gdsfd build.",
    ]
    lines += ["", *known.layout.notes] if known.layout.notes else []
    if why_end is not None:
        lines += [
            "",
            f"Prediction time. {why_end[0].upper()}{why_end[1:]}. What is recorded later is left out by the windows. "
            "Patients whose stay ended before that are kept: where in [cohort] leaves them out, if a prediction "
            "would come too late "
            "for them.",
        ]
    else:
        lines += [
            "",
            "Prediction time. The tables have no times that could be read, so nothing is cut off: make sure that all "
            "columns "
            "below were known when the prediction is to be made.",
        ]
    return lines
