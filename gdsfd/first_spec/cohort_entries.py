"""The blocks of the cohort table: its columns' roles, look-ups, the outcome, the split."""

from __future__ import annotations

import re

from gdsfd.first_spec.known import Known, joined_parts, reasons, written
from gdsfd.first_spec.leaks import leak_by_name
from gdsfd.first_spec.look_ups import LookUp
from gdsfd.first_spec.proposal import Entry
from gdsfd.first_spec.roles import guess_environment, guess_groups
from gdsfd.first_spec.sample import ExportTable
from gdsfd.first_spec.times import stamp_sql
from gdsfd.first_spec.words import folded

__all__ = ["cohort_entry", "join_entry", "outcome_entry", "split_entry"]


def cohort_entry(known: Known, stamped: bool) -> Entry:
    keys, layout = known.keys, known.layout
    entry = Entry("cohort", table=keys.table.name)
    entry.fields["source"] = written(keys.table, known)
    entry.fields["id"] = keys.id
    entry.notes["source"] = [f"One row is one patient; it is the table that holds {known.outcome.column}."]
    if known.outcome.table is not keys.table:
        entry.notes["source"] = ["One row is one patient, as told."]
    entry.notes["id"] = [f"{keys.id}: {keys.why_id}."]
    if keys.parts:
        entry.derive[keys.id] = joined_parts(keys.table, keys.parts)
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
            "No column of the cohort looks like the beginning that times could be counted from; tables with "
            "timestamps are "
            "left out below. Name one under origin, and remove the # signs."
        )
    return entry


def outcome_entry(known: Known) -> Entry:
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


def split_entry(known: Known) -> Entry:
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
    usual = {"train", "test", "tuning", "validation", "val", "held_out"}
    named = re.search(r"split|fold|partition|subset|\bset\b", folded(name)) is not None
    return {"train", "test"} <= levels and (levels <= usual or (named and len(levels) <= 12))


def join_entry(known: Known, one: LookUp) -> Entry:
    entry = Entry("[cohort.join]", {"source": written(one.table, known), "on": one.on, "columns": list(one.columns)})
    entry.above = [f"A look-up: {one.on} differs in every row of {one.table.name}."]
    if one.leaves:
        entry.above.append(f"Left where they are: {reasons(one.leaves)}.")
    return entry
