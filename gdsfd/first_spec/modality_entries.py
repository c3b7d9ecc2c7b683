"""The blocks of modalities: those of tables that belong to patients, and what the cohort table itself says of them."""

from __future__ import annotations

from collections.abc import Sequence

from gdsfd.first_spec.blocks import blocks_of
from gdsfd.first_spec.columns_taken import columns_taken
from gdsfd.first_spec.known import Known, Linked, joined_parts, reasons, written
from gdsfd.first_spec.layouts import TableHint
from gdsfd.first_spec.leaks import leak_by_name, leaks_by_outcome, table_leak
from gdsfd.first_spec.proposal import Entry
from gdsfd.first_spec.sample import ExportTable
from gdsfd.first_spec.sql_names import sql_name
from gdsfd.first_spec.windows import bin_of, window_of
from gdsfd.first_spec.words import folded

__all__ = ["modality_entry", "own_entries"]


def modality_entry(known: Known, one: Linked, others_have_times: bool) -> Entry:
    """The block of a table that belongs to patients."""
    table, kind, hint, time = one.table, one.kind, one.hint, one.time
    name = hint.name if hint is not None and hint.name else table.name
    entry = Entry(
        "[modality]",
        {"name": name, "kind": kind.kind, "source": written(table, known), "id": one.link.column},
        table=name,
    )
    entry.notes["kind"] = [f"{kind.kind}: {'; '.join(kind.notes)}."]
    entry.derive |= kind.derive
    if known.keys.parts:
        entry.derive = {
            known.keys.id: joined_parts(table, known.keys.parts),
            **entry.derive,
        }
    if one.link.column.casefold() != known.keys.id.casefold():
        entry.notes["id"] = [f"{one.link.column} holds the ids that are {known.keys.id} in the cohort."]
    if hint is not None and hint.where:
        entry.fields["where"] = hint.where
    if hint is not None and hint.note:
        entry.above.append(f"{hint.note[0].upper()}{hint.note[1:]}.")
    _put_time(known, one, entry)
    entry.fields |= {key: value for key, value in kind.fields.items()}
    if kind.kind == "events":
        start, end = entry.window or (0.0, known.end)
        clock = time is not None and (time.form == "duration" or table.facts[time.read[0]].clock) and time.factor < 1440
        if time is not None:
            entry.fields["bin"] = bin_of(start, end, clock)
        _wide_missing(table, entry)
    if kind.kind == "table":
        _put_columns(known, table, entry, one.link.column, hint)
    _judge(known, one, entry, others_have_times)
    return entry


def _put_time(known: Known, one: Linked, entry: Entry) -> None:
    time = one.time
    if time is None:
        return
    entry.notes["time"] = [f"time: {'; '.join(time.notes)}."]
    entry.fields["time"] = time.column
    entry.derive |= time.derive
    if _is_dated(known, one):
        # nobody knows that what bears the day's date was recorded before the prediction
        entry.fields["time"] = f"{time.column}_end"
        entry.derive[f"{time.column}_end"] = f"CAST({sql_name(time.column)} AS TIMESTAMP) + to_seconds(86399)"
        entry.notes["time"] = [f"time: {'; '.join([*time.notes, 'so each counts as the end of its day'])}."]
        one.lags = one.lags + 1439
    if time.form == "timestamp" and known.origin is not None:
        entry.fields["origin"] = known.origin
    if time.form != "timestamp" or known.origin is not None:
        # also where no row looked at is of a patient looked at: without a window whatever comes later would be let in
        start, end, why = window_of(one.lags, known.end, one.kind.kind == "events" and time.factor < 1440)
        entry.fields["window"] = [start, end]
        inside = float(((one.lags >= start) & (one.lags < end)).mean()) if len(one.lags) else None
        seen = (
            "no row looked at could be placed" if inside is None else f"{inside:.0%} of the rows looked at lie inside"
        )
        entry.notes["window"] = [f"{why[0].upper()}{why[1:]}; {seen}."]


def _is_dated(known: Known, one: Linked) -> bool:
    """Whether rows have dates without a time of day beside a beginning that has one."""
    if one.time is None or one.time.form != "timestamp" or known.origin is None:
        return False
    dated = all(not one.table.facts[name].clock for name in one.time.read)
    return dated and known.keys.table.facts[known.origin].clock


def _judge(known: Known, one: Linked, entry: Entry, others_have_times: bool) -> None:
    """Why a table is left out, if it is."""
    if one.hint is not None and one.hint.leave_out:
        entry.left_out = one.hint.leave_out
    elif (why := table_leak(one.table)) is not None:
        entry.left_out = f"by its name {why}"
    elif one.time is None and others_have_times and one.kind.kind in ("codes", "events"):
        entry.left_out = (
            "it has many rows per patient and no time, so what was recorded after the prediction cannot be cut off; "
            "if all of "
            "it was known by then, remove the # signs"
        )
    elif one.time is not None and one.time.form == "timestamp" and known.origin is None and one.kind.kind != "table":
        entry.left_out = "its timestamps need an origin in the cohort, and none was found"
    elif one.time is not None and len(one.lags) and entry.window is not None:
        start, end = entry.window
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


def _put_columns(
    known: Known, table: ExportTable, entry: Entry, id: str, hint: TableHint | None, only: Sequence[str] = ()
) -> None:
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
        notes += [
            "Left out, because they would give the outcome away:",
            *(f"  {name}: {why}" for name, why in leaky.items()),
        ]
    if others and not only:
        notes.append(f"Not taken: {reasons(others)}.")
    entry.notes["columns"] = notes + [f"{note}." for note in taken.notes if any(column in note for column in columns)]
    if categorical := [name for name in taken.categorical if name in columns]:
        entry.fields["categorical"] = categorical
    if taken.missing:
        entry.fields["missing"] = taken.missing
    entry.derive |= {name: sql for name, sql in taken.derive.items() if name in columns}
    if not columns:
        entry.left_out = "no column is left to take"
    if groups := [name for name in columns if name in known.groups]:
        entry.notes["columns"].append(
            f"{', '.join(groups)}: compared as groups, and inputs as well; take them out to predict without."
        )


def _leaks(known: Known, table: ExportTable, id: str) -> dict[str, str]:
    found = {}
    for name in table.columns:
        why = known.layout.leak(name) or leak_by_name(name) or _tells_presence(name, known, table)
        if why is not None and name != id and name not in known.roles:
            found[name] = why
    looked_at = [name for name in table.columns if name not in found and name not in known.roles and name != id]
    for labels in known.labels:
        found |= leaks_by_outcome(table, id, labels, [name for name in looked_at if name not in found])
    return found


def _tells_presence(name: str, known: Known, table: ExportTable) -> str | None:
    """Why a yes/no column that is called like another table leaks, or None."""
    words = {*folded(name).split()} - {"present", "presence", "has", "any", "with", "in", "flag", "available"}
    if len(table.facts[name].levels) > 2 or not words:
        return None
    other = next((one for one in known.tables if one is not table and words == {*folded(one.name).split()}), None)
    return None if other is None else f"says whether a patient has rows in {other.name} at any time, also later"


def own_entries(known: Known, split: bool) -> list[Entry]:
    """What the cohort table itself knows of its patients; with no other modality its columns make several."""
    keys = known.keys
    whole = Entry(
        "[modality]",
        {"name": keys.table.name, "kind": "table", "source": written(keys.table, known), "id": keys.id},
        table=keys.table.name,
    )
    if keys.parts:
        whole.derive[keys.id] = joined_parts(keys.table, keys.parts)
    whole.notes["kind"] = ["table: what the cohort table says of each patient."]
    _put_columns(known, keys.table, whole, keys.id, None)
    columns = list(whole.fields["columns"])  # type: ignore[call-overload]
    missing = [float(value) for value in whole.fields.get("missing", []) if isinstance(value, (int, float))]  # type: ignore[attr-defined]
    blocks = blocks_of(keys.table, columns, missing) if len(columns) > (2 if split else 14) else []
    if len(blocks) < 2:
        return [whole]
    entries = []
    for number, block in enumerate(blocks):
        entry = Entry(
            "[modality]", {**{name: whole.fields[name] for name in ("kind", "source", "id")}}, table=keys.table.name
        )
        entry.fields = {"name": block.name, **entry.fields, "columns": list(block.columns)}
        entry.derive = {name: sql for name, sql in whole.derive.items() if name in block.columns or name == keys.id}
        if number == 0:
            entry.above = [
                "The cohort table is all there is, so its columns are modalities by what is missing together."
            ]
            entry.notes["columns"] = list(whole.notes["columns"])
        entry.notes["kind"] = [f"table: {block.measured:.0%} of patients have any of these."]
        if categorical := [name for name in block.columns if name in whole.fields.get("categorical", [])]:  # type: ignore[operator]
            entry.fields["categorical"] = categorical
        if "missing" in whole.fields:
            entry.fields["missing"] = whole.fields["missing"]
        entries.append(entry)
    return entries
