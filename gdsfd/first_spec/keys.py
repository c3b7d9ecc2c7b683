"""Which column names a patient, which the person, and by which column the other tables belong to them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations

from gdsfd.errors import InputError, shown
from gdsfd.first_spec.sample import ExportTable
from gdsfd.first_spec.words import folded, says

__all__ = ["Keys", "Link", "find_keys", "link_of"]

_CONTAINED = 0.95  #: share of a column's values that must be ids, for it to hold ids under another name
_SOME = 10  #: different values that such a column must have


@dataclass(frozen=True)
class Link:
    """How a table belongs to patients.

    Args:
        column: Its column of patient ids.
        most: The most rows that one patient has.
        patients: Patients that have rows, of the rows looked at.
    """

    column: str
    most: int
    patients: int


@dataclass
class Keys:
    """What names patients and persons.

    Args:
        table: The cohort table.
        id: The id's column.
        parts: Columns that are an id together; then ``id`` is derived from them.
        subject: The person's column, None where the id is the person's or there is none.
        why_id: Why this id, and what else it could be.
        why_subject: The same of the person.
    """

    table: ExportTable
    id: str
    parts: tuple[str, ...] = ()
    subject: str | None = None
    why_id: str = ""
    why_subject: str = ""
    others: list[str] = field(default_factory=list)

    @cached_property
    def values(self) -> frozenset[str]:
        """The ids of the rows looked at."""
        return frozenset(cell for cell in self.owners(self.table, self.id) if cell is not None)

    def owners(self, table: ExportTable, column: str) -> list[str | None]:
        """The patient id of each row.

        Args:
            table: The table.
            column: Its column of ids; where several columns are the id together, they are taken.
        """
        if not self.parts:
            return table.cells(column)
        cells = [table.cells(str(table.column(part))) for part in self.parts]
        return [None if None in row else "_".join(map(str, row)) for row in zip(*cells)]


def find_keys(
    tables: Sequence[ExportTable], cohort: ExportTable, wanted: str | None = None, parts: Sequence[str] = ()
) -> Keys:
    """Finds the id and the person.

    Args:
        tables: All tables.
        cohort: The cohort table: the one that holds the outcome.
        wanted: The id's column, where the user or a known layout names it.
        parts: Columns that together are the id, where a known layout names them.

    Raises:
        InputError: No column, and no two columns, tell the rows of the cohort table apart.
    """
    if parts:
        keys = Keys(cohort, "_".join(parts).lower(), tuple(parts))
        keys.why_id = f"{' and '.join(parts)} together tell rows apart"
    elif wanted is not None:
        keys = Keys(cohort, wanted, why_id="as told")
    else:
        keys = _guessed(tables, cohort)
    keys.subject, keys.why_subject = _subject(tables, keys)
    return keys


def _guessed(tables: Sequence[ExportTable], cohort: ExportTable) -> Keys:
    candidates = [name for name, facts in cohort.facts.items() if facts.unique and _may_be_id(cohort, name)]
    if candidates:
        scores = {name: _score(name, tables, cohort) for name in candidates}
        best = max(candidates, key=lambda name: (scores[name], -cohort.columns.index(name)))
        used = [table.name for table in tables if table is not cohort and table.column(best)]
        why = f"it differs in all {cohort.rows.num_rows:,} rows looked at"
        why += f", and {len(used)} other tables have it" if len(used) > 1 else f", and {used[0]} has it" if used else ""
        others = [name for name in candidates if name != best]
        why += f". It could also be {shown(others, 4)}" if others else ""
        return Keys(cohort, best, why_id=why, others=others)
    names = [name for name in cohort.columns if says(name, "id") or says(name, "person") or says(name, "time")]
    for pair in combinations(names[:12], 2):
        cells = list(zip(cohort.cells(pair[0]), cohort.cells(pair[1])))
        if len(set(cells)) == len(cells) and not any(None in both for both in cells):
            keys = Keys(cohort, "_".join(pair).lower(), pair)
            keys.why_id = f"no column alone tells rows apart, but {pair[0]} and {pair[1]} together do"
            return keys
    near = sorted(cohort.facts.values(), key=lambda facts: -facts.distinct)[:3]
    listed = ", ".join(f"{facts.name} ({facts.distinct:,} different of {facts.rows:,} rows)" for facts in near)
    raise InputError(
        f"{cohort.name}: no column, and no two, differ in every row, so nothing can be a patient's id; nearest: "
        f"{listed}. "
        "One row of the table with the outcome is one patient: name the id with --id, or make a table with one row per "
        "patient"
    )


def _may_be_id(table: ExportTable, name: str) -> bool:
    facts = table.facts[name]
    if facts.is_time or facts.form == "duration" or (facts.is_number and not facts.integers):
        return False
    return facts.length <= 80 and not says(name, "text")


def _score(name: str, tables: Sequence[ExportTable], cohort: ExportTable) -> float:
    used = sum(table.column(name) is not None for table in tables if table is not cohort)
    own = _words(cohort.name) & _words(name)
    return (
        -4.0 * says(name, "row number")
        + 3.0 * used
        + 30.0 * bool(own) * says(name, "id")
        + 2.0 * says(name, "id")
        + 1.0 * (says(name, "stay") or says(name, "person"))
    )


def _subject(tables: Sequence[ExportTable], keys: Keys) -> tuple[str | None, str]:
    """The person's column: one that repeats, and by its name or by a table of its own is a person's."""
    cohort, rows = keys.table, keys.table.rows.num_rows
    found: list[tuple[float, str]] = []
    for name, facts in cohort.facts.items():
        if name == keys.id or not _may_be_id(cohort, name) or not facts.filled > rows / 2:
            continue
        if not (2 <= facts.distinct <= facts.filled) or facts.distinct < 0.05 * facts.filled:
            continue
        own = any(
            table is not cohort and (there := table.column(name)) is not None and table.facts[there].unique
            for table in tables
        )
        by_name = says(name, "person") and not says(name, "stay")
        by_name = by_name and (says(name, "id") or facts.distinct > 0.3 * facts.filled)
        like_a_site = says(name, "environment") and not by_name
        one_person = facts.distinct > 0.2 * facts.filled and _agree(cohort, name)
        if (own or by_name or one_person) and not like_a_site:
            found.append((2.0 * by_name + own + one_person - facts.distinct / facts.filled, name))
    if not found:
        why = f"no column of {cohort.name} looks like a person's beside {keys.id}; if one person can stand in several "
        return None, why + "rows, name the person here, else the same person may be in train and in test"
    best = max(found)[1]
    facts = cohort.facts[best]
    why = f"{facts.distinct:,} different in {facts.filled:,} rows; all rows of one person are kept in one split"
    others = [name for _, name in found if name != best]
    return best, why + (f". It could also be {shown(others, 3)}" if others else "")


def _agree(cohort: ExportTable, name: str) -> bool:
    """Whether rows of one value have one sex and one birth date, as a person's have, and more often than by chance."""
    told = [other for other in cohort.columns if says(other, "birth") or (says(other, "group") and other != name)]
    traits = [tuple(row) for row in zip(*(cohort.cells(other) for other in told))]
    of: dict[str, list[tuple[str | None, ...]]] = {}
    for own, trait in zip(cohort.cells(name), traits):
        if own is not None:
            of.setdefault(own, []).append(trait)
    repeated = [rows for rows in of.values() if len(rows) > 1]
    if len(repeated) < _SOME:
        return False
    shares = [count / len(traits) for count in Counter(traits).values()]
    by_chance = sum(share * share for share in shares)
    return by_chance < 0.7 and sum(len(set(rows)) == 1 for rows in repeated) >= _CONTAINED * len(repeated)


def link_of(table: ExportTable, keys: Keys) -> Link | None:
    """How a table belongs to patients: by a column of the id's name, else by one that holds ids under another name.

    Args:
        table: The table.
        keys: What names patients.
    """
    if keys.parts:
        if any(table.column(part) is None for part in keys.parts):
            return None
        return _counted(keys.id, keys.owners(table, keys.id))
    same = table.column(keys.id)
    if same is not None:
        return _counted(same, table.cells(same))
    for name in _holding_ids(table, keys):
        return _counted(name, table.cells(name))
    return None


def _holding_ids(table: ExportTable, keys: Keys) -> Iterable[str]:
    """Columns whose values are ids of the cohort; of plain small numbers the name has to agree as well."""
    if not keys.values or not keys.table.whole:
        return
    own = keys.table.facts[keys.id]
    running = own.is_number and own.highest < 20 * max(own.rows, 1)
    for name, facts in table.facts.items():
        if facts.distinct < min(_SOME, own.distinct) or not _may_be_id(table, name):
            continue
        if running and not _words(name) & (_words(keys.id) | _words(keys.table.name)):
            continue
        different = {cell for cell in table.cells(name) if cell is not None}
        if len(different & keys.values) >= _CONTAINED * len(different):
            yield name


def _words(name: str) -> set[str]:
    return {*folded(name).split()} - {"id", "nr", "key", "no"}


def _counted(column: str, cells: Sequence[str | None]) -> Link:
    counts: dict[str, int] = {}
    for cell in cells:
        if cell is not None:
            counts[cell] = counts.get(cell, 0) + 1
    return Link(column, max(counts.values(), default=0), len(counts))
