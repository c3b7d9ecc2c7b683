"""From tables and what the user says to a proposal."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gdsfd.errors import InputError, near_names, shown
from gdsfd.first_spec.blocks import blocks_of
from gdsfd.first_spec.columns_taken import columns_taken
from gdsfd.first_spec.keys import Keys, Link, find_keys, link_of
from gdsfd.first_spec.kinds import KindGuess, guess_kind
from gdsfd.first_spec.layouts import LAYOUTS, Layout, TableHint, recognised
from gdsfd.first_spec.leaks import leak_by_name, leaks_by_outcome, table_leak
from gdsfd.first_spec.look_ups import LookUp, find_look_ups
from gdsfd.first_spec.outcomes import OutcomeGuess, find_outcome, label_values
from gdsfd.first_spec.proposal import Entry, Proposal, Request
from gdsfd.first_spec.roles import guess_environment, guess_groups
from gdsfd.first_spec.sample import ExportTable
from gdsfd.first_spec.times import TimeGuess, guess_origin, guess_time, minutes_since_origin, stamp_sql
from gdsfd.first_spec.windows import bin_of, prediction_time, window_of

__all__ = ["propose"]


@dataclass
class _Known:
    """What is known by now."""

    request: Request
    layout: Layout
    base_dir: Path
    tables: Sequence[ExportTable]
    keys: Keys
    outcome: OutcomeGuess
    look_ups: list[LookUp] = field(default_factory=list)
    origin: str | None = None
    end: float = 1440.0
    labels: dict[str, bool] = field(default_factory=dict)
    roles: dict[str, str] = field(default_factory=dict)
    groups: tuple[str, ...] = ()


@dataclass
class _Linked:
    """A table that belongs to patients."""

    table: ExportTable
    link: Link
    kind: KindGuess
    hint: TableHint | None
    time: TimeGuess | None
    lags: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))


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
        raise InputError(f"--id {request.id}: {cohort.name} has no such column.{near_names(request.id, cohort.columns)}")
    if wanted is not None and request.id is None and not cohort.facts[wanted].unique:
        wanted = None
    parts = layout.parts if layout.parts and all(cohort.column(part) for part in layout.parts) else ()
    keys = find_keys(tables, cohort, cohort.column(wanted), () if request.id else parts)
    if layout.subject and cohort.column(layout.subject) and cohort.column(layout.subject) != keys.id:
        keys.subject, keys.why_subject = cohort.column(layout.subject), "the person, as known of this layout"
    outcome = label_values(holder, column, request.positive, request.negative, request.classes, joined=holder is not cohort)
    known = _Known(request, layout, base_dir, tables, keys, outcome)
    known.look_ups = find_look_ups(tables, keys, holder, column, layout)
    if holder is cohort and not keys.parts:
        cells = zip(cohort.cells(keys.id), cohort.cells(column))
        known.labels = {str(own): label for own, cell in cells if (label := outcome.label(cell)) is not None}
    unused: dict[str, str] = {}
    linked = _linked(known, unused)
    return _assembled(known, linked, unused)


def _cohort_table(tables: Sequence[ExportTable], request: Request, holder: ExportTable) -> ExportTable:
    if request.cohort is None:
        return holder
    found = [table for table in tables if table.name.casefold() == request.cohort.casefold()]
    if not found:
        names = [table.name for table in tables]
        raise InputError(f"--cohort {request.cohort}: there is no such table.{near_names(request.cohort, names)}")
    return found[0]


def _linked(known: _Known, unused: dict[str, str]) -> list[_Linked]:
    """The tables that belong to patients, with kind and time; why the others do not goes to ``unused``."""
    found: list[_Linked] = []
    for table in known.tables:
        if table is known.keys.table:
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
            unused[table.name] = "; ".join(kind.notes)
            continue
        never = [str(kind.fields[name]) for name in ("value", "item", "code") if name in kind.fields]
        time = _time(table, kind, hint, never)
        found.append(_Linked(table, link, kind, hint, time))
    return found


def _why_unlinked(table: ExportTable, known: _Known) -> str:
    look_up = next((one for one in known.look_ups if one.table is table), None)
    if look_up is not None:
        return f"but columns put beside the cohort's rows by {look_up.on}"
    if known.keys.subject and table.column(known.keys.subject):
        return (
            f"it has {known.keys.subject} but no {known.keys.id}: a row of a person belongs to several patients, and to which "
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
                kind.fields = {key: part for key, part in kind.fields.items() if key != "separator"}
            kind.fields[name] = given
    kind.derive |= {name: sql for name, sql in hint.derive.items() if name != hint.time}


def _time(table: ExportTable, kind: KindGuess, hint: TableHint | None, never: Sequence[str]) -> TimeGuess | None:
    derived = hint is not None and hint.time is not None and hint.time in hint.derive
    preferred = [hint.time] if hint is not None and hint.time is not None else []
    guess = guess_time(table, kind.kind == "events", preferred, never)
    if derived and guess is not None and hint is not None and hint.time is not None:
        guess.column, guess.derive = hint.time, {hint.time: hint.derive[hint.time]}
    return guess


def _assembled(known: _Known, linked: list[_Linked], unused: dict[str, str]) -> Proposal:
    keys, layout = known.keys, known.layout
    timed = [one for one in linked if one.time is not None]
    stamped = [(one.table, one.link.column, one.time.read[0]) for one in timed if one.time and one.time.form == "timestamp"]
    if not keys.parts and (stamped or layout.origin):
        known.origin = guess_origin(keys.table, layout.origin, stamped, keys.id)
    for one in timed:
        if one.time is not None and not keys.parts:
            origin = known.origin if one.time.form == "timestamp" else None
            if one.time.form != "timestamp" or origin is not None:
                one.lags = minutes_since_origin(
                    keys.table, keys.id, origin, one.table, one.link.column, one.time.read[0]
                )
    known.end, why_end = prediction_time([one.lags for one in timed], known.request.hours, layout.hours)
    cohort = _cohort_entry(known, any(one.time and one.time.form == "timestamp" for one in timed))
    entries = [_entry(known, one, bool(timed)) for one in linked]
    taken = any(entry.left_out is None for entry in entries)
    own = _own_entries(known, split=not taken)
    head = _head(known, why_end if timed else None)
    proposal = Proposal(head, cohort, _outcome_entry(known), _split_entry(known), modalities=[*own, *entries], unused=unused)
    proposal.joins = [_join_entry(known, one) for one in known.look_ups]
    _tell_apart(proposal.modalities)
    return proposal


def _tell_apart(entries: list[Entry]) -> None:
    seen: set[str] = set()
    for entry in entries:
        while entry.name in seen:
            entry.fields["name"] = f"{entry.name}_2"
        seen.add(entry.name)


def _head(known: _Known, why_end: str | None) -> list[str]:
    title = f"{known.layout.title}, recognised by its columns" if known.layout.title else "A first spec"
    lines = [
        f"{title}: {known.outcome.name}. Written by gdsfd init from headers and first rows: every field below is a guess with "
        "its reason above it. Read them, change what is wrong, then run gdsfd check and gdsfd build.",
    ]
    lines += ["", *known.layout.notes] if known.layout.notes else []
    if why_end is not None:
        lines += ["", f"Prediction time. {why_end[0].upper()}{why_end[1:]}. What is recorded later is left out by the windows."]
    else:
        lines += [
            "",
            "Prediction time. The tables have no times that could be read, so nothing is cut off: make sure that all columns "
            "below were known when the prediction is to be made.",
        ]
    return lines


def _cohort_entry(known: _Known, stamped: bool) -> Entry:
    keys, layout = known.keys, known.layout
    entry = Entry("cohort", table=keys.table.name)
    entry.fields["source"] = _written(keys.table, known)
    entry.fields["id"] = keys.id
    entry.notes["source"] = [f"One row is one patient; it is the table that holds {known.outcome.column}."]
    if known.outcome.table is not keys.table:
        entry.notes["source"] = ["One row is one patient, as told."]
    entry.notes["id"] = [f"{keys.id}: {keys.why_id}."]
    if keys.parts:
        entry.derive[keys.id] = _joined_parts(keys.parts)
    entry.notes["subject"] = [f"subject: {keys.why_subject}."]
    entry.fields["subject"] = keys.subject
    facts = [*keys.table.facts.values(), *(one.table.facts[name] for one in known.look_ups for name in one.columns)]
    holders = [keys.id, keys.subject or keys.id, known.outcome.column, *keys.parts]
    leaky = [one.name for one in facts if layout.leak(one.name) or leak_by_name(one.name)]
    groups = guess_groups(facts, [*holders, *leaky], layout.groups)
    places = guess_environment(facts, [*holders, *leaky, *groups.columns], layout.environment)
    entry.notes["environment"] = [f"environment: {places.why}."]
    entry.fields["environment"] = places.columns[0] if places.columns else None
    entry.notes["groups"] = [f"groups: {groups.why}."]
    entry.fields["groups"] = list(groups.columns) or None
    known.groups = groups.columns
    known.roles = {
        keys.id: "the id",
        **dict.fromkeys(keys.parts, "a part of the id"),
        **({keys.subject: "the person"} if keys.subject else {}),
        known.outcome.column: "the outcome",
        **dict.fromkeys(places.columns, "the environment: a model that reads it learns the site"),
    }
    if known.outcome.derive is not None:
        entry.derive[known.outcome.column] = known.outcome.derive
    if known.origin is not None:
        begun = keys.table.facts[known.origin]
        entry.above.append(f"Times are counted from {known.origin}, which is named under origin below.")
        if begun.form == "local time":
            entry.derive[known.origin], notes = stamp_sql(begun)
            entry.notes["derive"] = [f"{known.origin}: {'; '.join(notes)}."]
    elif stamped:
        entry.above.append(
            "No column of the cohort looks like the beginning that times could be counted from; tables with timestamps are "
            "left out below. Name one under origin, and remove the # signs."
        )
    return entry


def _joined_parts(parts: Sequence[str]) -> str:
    from gdsfd.cohort.sources.sql_text import quoted

    return f"concat_ws('_', {', '.join(quoted(f'{part}') for part in parts)})"


def _outcome_entry(known: _Known) -> Entry:
    outcome = known.outcome
    entry = Entry("outcome", {"name": outcome.name, "column": outcome.column})
    entry.notes["column"] = [f"{note[0].upper()}{note[1:]}." for note in outcome.notes]
    for name in ("positive", "negative", "classes", "missing"):
        values = [_scalar(value) for value in getattr(outcome, name)]
        if values:
            entry.fields[name] = values[0] if len(values) == 1 and name != "classes" else values
    return entry


def _scalar(value: str) -> object:
    return int(value) if value.lstrip("-").isdigit() and str(int(value)) == value else value


def _split_entry(known: _Known) -> Entry:
    entry = Entry("split", {"kind": "subject", "fractions": [0.7, 0.1, 0.2], "seed": 0})
    entry.notes["kind"] = ["By person, at random: 70 % train, 10 % tuning, 20 % test."]
    column = next((name for name in known.keys.table.columns if _is_split(known.keys.table, name)), None)
    if column is not None:
        entry.fields = {"kind": "column", "column": column}
        entry.notes["kind"] = [f"{column} already says who trains and who tests."]
        known.roles[column] = "the split"
    return entry


def _is_split(table: ExportTable, name: str) -> bool:
    levels = {value.casefold() for value in table.facts[name].levels}
    return "train" in levels and "test" in levels and levels <= {"train", "test", "tuning", "validation", "val", "held_out"}


def _join_entry(known: _Known, one: LookUp) -> Entry:
    entry = Entry("[cohort.join]", {"source": _written(one.table, known), "on": one.on, "columns": list(one.columns)})
    entry.above = [f"A look-up: {one.on} differs in every row of {one.table.name}."]
    if one.leaves:
        entry.above.append(f"Left where they are: {_reasons(one.leaves)}.")
    return entry


def _entry(known: _Known, one: _Linked, others_have_times: bool) -> Entry:
    """The block of a table that belongs to patients."""
    table, kind, hint, time = one.table, one.kind, one.hint, one.time
    name = hint.name if hint is not None and hint.name else table.name
    entry = Entry("[modality]", {"name": name, "kind": kind.kind, "source": _written(table, known), "id": one.link.column}, table=name)
    entry.notes["kind"] = [f"{kind.kind}: {'; '.join(kind.notes)}."]
    entry.derive |= kind.derive
    if known.keys.parts:
        entry.derive = {known.keys.id: _joined_parts([str(table.column(part)) for part in known.keys.parts]), **entry.derive}
    if one.link.column.casefold() != known.keys.id.casefold():
        entry.notes["id"] = [f"{one.link.column} holds the ids that are {known.keys.id} in the cohort."]
    if hint is not None and hint.where:
        entry.fields["where"] = hint.where
    if hint is not None and hint.note:
        entry.above.append(f"{hint.note[0].upper()}{hint.note[1:]}.")
    _put_time(known, one, entry)
    entry.fields |= {key: value for key, value in kind.fields.items()}
    if kind.kind == "events":
        start, end = entry.fields.get("window", (0.0, known.end))  # type: ignore[misc]
        clock = time is not None and (time.form == "duration" or table.facts[time.read[0]].clock) and time.factor < 1440
        if time is not None:
            entry.fields["bin"] = bin_of(float(start), float(end), clock)
        _wide_missing(table, entry)
    if kind.kind == "table":
        _put_columns(known, table, entry, one.link.column, hint)
    _judge(known, one, entry, others_have_times)
    return entry


def _put_time(known: _Known, one: _Linked, entry: Entry) -> None:
    time = one.time
    if time is None:
        return
    entry.notes["time"] = [f"time: {'; '.join(time.notes)}."]
    entry.fields["time"] = time.column
    entry.derive |= time.derive
    if time.form == "timestamp" and known.origin is not None:
        entry.fields["origin"] = known.origin
    if len(one.lags):
        start, end, why = window_of(one.lags, known.end, one.kind.kind == "events")
        entry.fields["window"] = [start, end]
        inside = float(((one.lags >= start) & (one.lags < end)).mean())
        entry.notes["window"] = [f"{why[0].upper()}{why[1:]}; {inside:.0%} of the rows looked at lie inside."]
    elif known.keys.parts and known.origin is None and known.layout.origin:
        del entry.fields["time"], entry.notes["time"]


def _judge(known: _Known, one: _Linked, entry: Entry, others_have_times: bool) -> None:
    """Why a table is left out, if it is."""
    if one.hint is not None and one.hint.leave_out:
        entry.left_out = one.hint.leave_out
    elif (why := table_leak(one.table)) is not None:
        entry.left_out = f"by its name {why}"
    elif one.time is None and others_have_times and one.kind.kind in ("codes", "events"):
        entry.left_out = (
            "it has many rows per patient and no time, so what was recorded after the prediction cannot be cut off; if all of "
            "it was known by then, remove the # signs"
        )
    elif one.time is not None and one.time.form == "timestamp" and known.origin is None and one.kind.kind != "table":
        entry.left_out = "its timestamps need an origin in the cohort, and none was found"
    elif one.time is not None and len(one.lags) and "window" in entry.fields:
        start, end = entry.fields["window"]  # type: ignore[misc]
        if not ((one.lags >= start) & (one.lags < end)).any():
            entry.left_out = "no row lies before the prediction"
    elif one.time is None and one.kind.kind in ("table", "embedding") and others_have_times:
        entry.above.append("It has no time: if any of it was filled in after the prediction, it leaks.")


def _wide_missing(table: ExportTable, entry: Entry) -> None:
    """Of events: a negative number that stands apart means "not measured"."""
    names = entry.fields.get("values") or [entry.fields.get("value")]
    facts = [table.facts[str(name)] for name in names if str(name) in table.facts]  # type: ignore[attr-defined]
    if len(facts) > 1 and all(one.lowest in (-1.0, -9.0, -99.0) and one.next_lowest >= 0 for one in facts):
        entry.fields["missing"] = sorted({int(one.lowest) for one in facts})
    elif any(one.lowest < 0 for one in facts) and any(one.top.get("-1") for one in facts):
        entry.notes["value"] = ["-1 occurs among the values; if it means not measured, add missing = [-1]."]
    if any(not one.is_number for one in facts) and "invalid" not in entry.fields:
        entry.fields["invalid"] = "missing"


def _put_columns(known: _Known, table: ExportTable, entry: Entry, id: str, hint: TableHint | None, only: Sequence[str] = ()) -> None:
    """The columns of a table with one row per patient."""
    leaks = _leaks(known, table, id)
    roles = {name: why for own, why in known.roles.items() if (name := table.column(own)) is not None} | {id: "the id"}
    keys = [name for one in known.look_ups if (name := table.column(one.on)) is not None]
    taken = columns_taken(table, roles, leaks, keys)
    columns = [name for name in taken.columns if not only or name in only]
    if hint is not None and hint.take:
        columns = [name for wanted in hint.take if (name := table.column(wanted)) is not None]
    entry.fields["columns"] = columns
    leaky = {name: why for name, why in taken.left_out.items() if name in leaks}
    others = {name: why for name, why in taken.left_out.items() if name not in leaks}
    notes = []
    if leaky and not only:
        notes += ["Left out, because they would give the outcome away:", *(f"  {name}: {why}" for name, why in leaky.items())]
    if others and not only:
        notes.append(f"Not taken: {_reasons(others)}.")
    entry.notes["columns"] = notes + [f"{note}." for note in taken.notes if not only or any(c in note for c in columns)]
    if categorical := [name for name in taken.categorical if name in columns]:
        entry.fields["categorical"] = categorical
    if taken.missing:
        entry.fields["missing"] = taken.missing
    entry.derive |= {name: sql for name, sql in taken.derive.items() if name in columns}
    if not columns:
        entry.left_out = "no column is left to take"
    if groups := [name for name in columns if name in known.groups]:
        entry.notes["columns"].append(f"{', '.join(groups)}: compared as groups, and inputs as well; take them out to predict without.")


def _leaks(known: _Known, table: ExportTable, id: str) -> dict[str, str]:
    found = {}
    for name in table.columns:
        why = known.layout.leak(name) or leak_by_name(name)
        if why is not None and name != id and name not in known.roles:
            found[name] = why
    looked_at = [name for name in table.columns if name not in found and name not in known.roles and name != id]
    if known.labels:
        found |= leaks_by_outcome(table, id, known.labels, looked_at)
    return found


def _own_entries(known: _Known, split: bool) -> list[Entry]:
    """What the cohort table itself knows of its patients; with no other modality its columns make several."""
    keys = known.keys
    whole = Entry("[modality]", {"name": keys.table.name, "kind": "table", "source": _written(keys.table, known), "id": keys.id}, table=keys.table.name)
    if keys.parts:
        whole.derive[keys.id] = _joined_parts(keys.parts)
    whole.notes["kind"] = ["table: what the cohort table says of each patient."]
    _put_columns(known, keys.table, whole, keys.id, None)
    columns = list(whole.fields["columns"])  # type: ignore[call-overload]
    missing = [float(value) for value in whole.fields.get("missing", []) if isinstance(value, (int, float))]  # type: ignore[attr-defined]
    blocks = blocks_of(keys.table, columns, missing) if split and len(columns) > 2 else []
    if len(blocks) < 2:
        return [whole]
    entries = []
    for number, block in enumerate(blocks):
        entry = Entry("[modality]", {**{name: whole.fields[name] for name in ("kind", "source", "id")}}, table=keys.table.name)
        entry.fields = {"name": block.name, **entry.fields, "columns": list(block.columns)}
        entry.derive = {name: sql for name, sql in whole.derive.items() if name in block.columns or name == keys.id}
        if number == 0:
            entry.above = ["The cohort table is all there is, so its columns are modalities by what is missing together."]
            entry.notes["columns"] = list(whole.notes["columns"])
        entry.notes["kind"] = [f"table: {block.measured:.0%} of patients have any of these."]
        if categorical := [name for name in block.columns if name in whole.fields.get("categorical", [])]:  # type: ignore[operator]
            entry.fields["categorical"] = categorical
        if "missing" in whole.fields:
            entry.fields["missing"] = whole.fields["missing"]
        entries.append(entry)
    return entries


def _reasons(left: dict[str, str]) -> str:
    """Columns by reason: ``a, b (a key); c (a time)``."""
    by_reason: dict[str, list[str]] = {}
    for name, why in left.items():
        by_reason.setdefault(why, []).append(name)
    return "; ".join(f"{', '.join(names)} ({why})" for why, names in by_reason.items())


def _written(table: ExportTable, known: _Known) -> str:
    """The source as the spec has it: relative to the spec's folder where that is near, else absolute."""
    written = table.place.written
    if "${" in written:
        raise InputError(f"{written}: a spec would take ${{...}} for a variable; rename the folder or the file")
    relative = os.path.relpath(written, known.base_dir)
    return written if relative.startswith(os.path.join("..", "..", "..", "..")) else relative
