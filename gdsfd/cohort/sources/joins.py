"""Look-up tables whose columns are put beside the rows of a base table."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

from gdsfd.cohort.keys.key_forms import NearKeys, pairs_shown
from gdsfd.cohort.receipt.receipt import Finding
from gdsfd.cohort.sources.base_tables import BaseTable, BaseTables
from gdsfd.cohort.sources.internal_names import OWN_KEY, POSITION, ROW, clashing
from gdsfd.cohort.sources.user_sql import UserSql
from gdsfd.cohort.sources.values import as_text
from gdsfd.cohort.spec import JoinSpec
from gdsfd.errors import InputError, near_names, shown

__all__ = ["joined"]

#: Share of rows without a partner from which on a join is warned of.
_FEW = 0.5
#: Rows per key from which on keys are taken for those of places rather than of people, and are shown in the receipt.
_SHARED = 10


def joined(
    base: BaseTable,
    joins: Sequence[JoinSpec],
    tables: BaseTables,
    sql: UserSql,
    what: str,
    people: Collection[str | None] | None = (),
) -> tuple[BaseTable, list[str], list[Finding]]:
    """The base table with the columns of look-up tables beside its rows, notes and warnings.

    Args:
        base: A table (not a view).
        joins: The look-ups, one after the other.
        tables: Where look-ups are opened.
        sql: The user's SQL, for ``derive`` of a look-up.
        what: Where the spec names them, for messages.
        people: Columns that name patients or persons: notes and warnings do not show their keys. None: all are shown.

    Raises:
        InputError: A missing column, a key that repeats in the look-up, a column that both have, keys that differ in
            their spelling, no row with a partner.
    """
    notes: list[str] = []
    findings: list[Finding] = []
    for join in joins:
        base = _join(base, join, tables, sql, what, people, notes, findings)
    return base, notes, findings


def _join(
    base: BaseTable,
    join: JoinSpec,
    tables: BaseTables,
    sql: UserSql,
    what: str,
    people: Collection[str | None] | None,
    notes: list[str],
    findings: list[Finding],
) -> BaseTable:
    database = tables.database
    look_up = tables.open(join.source, f"{what}, join", in_order=True)
    left_view, left_columns = sql.view(base, {}, None, what)
    right_view, right_columns = sql.view(look_up, join.derive, None, f"{what}, join")
    for table, columns, named in (
        (base, left_columns, [join.on]),
        (look_up, right_columns, [join.on, *join.columns]),
    ):
        absent = next((column for column in named if column not in columns), None)
        if absent is not None:
            near = near_names(absent, [*table.columns, *columns])
            raise InputError(f"{table.label} has no column {absent!r} ({what}, join).{near}")
    taken = [column for column in join.columns if clashing(base.columns, column)]
    if taken:
        raise InputError(f"{what}, join: {base.label} already has a column {taken[0]!r}; take it from one of them")
    left, right = database.table(left_view), database.table(right_view)
    left = left.select(left[ROW].name(POSITION), *left_columns, as_text(left[join.on]).name(OWN_KEY))
    key = f"{OWN_KEY}_of_look_up"
    right = right.select(*join.columns, as_text(right[join.on]).name(key))
    right = right.filter(right[key].notnull())
    with database.reading(look_up.label):
        _check_unique(database, right, key, join, look_up)
    with database.reading(base.label):
        _judge(database, left, right, key, join, base, look_up, what, people, notes, findings)
    name = database.new_name("joined")
    beside = left.left_join(right, left[OWN_KEY] == right[key]).drop(OWN_KEY, key)
    database.run(f"CREATE TABLE {name} AS {database.sql(beside.order_by(POSITION))}")
    types = database.types(name)
    types.pop(POSITION)
    known = (*base.columns, *join.columns)
    return replace(base, name=name, types=types, columns=known, row_number=POSITION)


def _check_unique(database: Any, right: Any, key: str, join: JoinSpec, look_up: BaseTable) -> None:
    counted = right.group_by(key).agg(times=right.count())
    repeated = database.fetch(counted.filter(counted.times > 1).order_by(key).limit(6))[key].to_pylist()
    if repeated:
        raise InputError(
            f"{look_up.label}: the key {join.on!r} of a join must be unique, but repeats for "
            f"{shown(repeated)}; aggregate the look-up first"
        )


def _judge(
    database: Any,
    left: Any,
    right: Any,
    key: str,
    join: JoinSpec,
    base: BaseTable,
    look_up: BaseTable,
    what: str,
    people: Collection[str | None] | None,
    notes: list[str],
    findings: list[Finding],
) -> None:
    """Refuses keys that differ in their spelling and a join that matches nobody; tells of rows without a partner."""
    named = left.filter(left[OWN_KEY].notnull())
    counted = named.group_by(OWN_KEY).agg(rows=named.count())
    known = right.select(key)
    counted = counted.left_join(known, counted[OWN_KEY] == known[key])
    rows = database.fetch(counted.select(own=counted[OWN_KEY], rows=counted["rows"], found=counted[key].notnull()))
    entries = rows.to_pylist()
    total = sum(entry["rows"] for entry in entries)
    lost = {str(entry["own"]): int(entry["rows"]) for entry in entries if not entry["found"]}
    if not lost:
        return
    keys = [str(each) for each in database.fetch(known)[key].to_pylist()]
    pairs = NearKeys(keys).pairs(lost)
    field = f"{what}, join on {join.on!r}"
    if pairs:
        raise InputError(
            f"{field}: keys of {base.label} and of {look_up.label} differ only in their spelling: "
            f"{pairs_shown(pairs)}. Export the column as text in both files, or convert the look-up's in the join: "
            f'derive = {{{join.on} = "..."}}'
        )
    missing = sum(lost.values())
    if missing == total:
        raise InputError(
            f"{field}: no row of {base.label} finds its key in {look_up.label}: {shown(sorted(lost), 3)} against "
            f"{shown(sorted(keys), 3)}. Is it the right column and file?"
        )
    text = f"{missing:,} of {total:,} rows have a key that {look_up.label} has not"
    if people is None or (join.on not in people and total >= _SHARED * len(entries)):
        text += f" ({shown(sorted(lost), 3)})"
    notes.append(f"join on {join.on!r}: {text}; {shown(join.columns)} are blank there")
    if missing > _FEW * total:
        findings.append(
            Finding("join", f"join on {join.on!r}", f"{text}: is it the right column and file?", missing / total)
        )
