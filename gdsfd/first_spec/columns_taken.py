"""Which columns of a table with one row per patient are inputs, and what has to be done for them to be read."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from gdsfd.errors import shown
from gdsfd.first_spec.clean_numbers import clean_number
from gdsfd.first_spec.column_facts import ColumnFacts
from gdsfd.first_spec.sample import ExportTable
from gdsfd.first_spec.sql_names import sql_name
from gdsfd.first_spec.words import folded, says

__all__ = ["ColumnsTaken", "columns_taken"]

_SENTINELS = (-1.0, -4.0, -7.0, -8.0, -9.0, -88.0, -99.0, -999.0, -9999.0)
_CODED = r"concept id|type|code|class|categor|status$|grade|stage|\barm\b"


@dataclass
class ColumnsTaken:
    """The inputs of a table.

    Args:
        columns: Columns that are taken.
        categorical: Those that are categories though they are written as numbers.
        missing: Values that mean "not measured" in all of them.
        derive: Name -> SQL, where a column has to be cleaned.
        left_out: Column -> why it is not taken.
        notes: What else is said.
    """

    columns: list[str] = field(default_factory=list)
    categorical: list[str] = field(default_factory=list)
    missing: list[object] = field(default_factory=list)
    derive: dict[str, str] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def columns_taken(
    table: ExportTable, own: Mapping[str, str], leaks: Mapping[str, str], keys: Collection[str] = ()
) -> ColumnsTaken:
    """Chooses the inputs.

    Args:
        table: The table.
        own: Columns with a role of their own (id, person, environment, outcome) -> which.
        leaks: Columns that leak -> why.
        keys: Columns that are keys of other tables.
    """
    found = ColumnsTaken()
    for name, facts in table.facts.items():
        why = own.get(name) or leaks.get(name) or _unwanted(facts, name in keys)
        if why is None:
            found.columns.append(name)
        else:
            found.left_out[name] = why
    numeric = [table.facts[name] for name in found.columns if table.facts[name].mostly_numbers]
    found.categorical = [facts.name for facts in numeric if _is_coded(facts)]
    _clean(found, [facts for facts in numeric if not facts.is_number])
    _sentinels(found, [facts for facts in numeric if facts.is_number])
    _zeros(found, [facts for facts in numeric if facts.is_number and facts.name not in found.categorical])
    coded = [
        facts.name for facts in numeric if facts.name not in found.categorical and _few(facts) and facts.highest > 1
    ]
    if coded:
        found.notes.append(
            f"whole numbers with few values, perhaps codes: {shown(coded, 8)}; list them under categorical if so"
        )
    return found


def _unwanted(facts: ColumnFacts, is_key: bool) -> str | None:
    if not facts.filled:
        return "no value in the rows looked at"
    if facts.is_time or facts.form == "duration":
        return "a time; derive a number to use it"
    if facts.distinct == 1 and facts.filled == facts.rows:
        return "the same in every row"
    if is_key or (facts.unique and (says(facts.name, "id") or facts.form == "text")):
        return "a key"
    if says(facts.name, "row number"):
        return "a number of rows"
    different = facts.distinct / facts.filled
    if (
        re.search(r"id$|key$|\bsk$", folded(facts.name))
        and facts.is_number
        and facts.integers
        and facts.distinct > 12
        and not folded(facts.name).endswith("concept id")
    ):
        return "a key"
    if says(facts.name, "id") and different > 0.3 and (facts.integers or facts.form == "text") and facts.distinct > 50:
        return "a key"
    if facts.form == "text" and not facts.mostly_numbers and different > 0.5 and facts.distinct > 20:
        return "nearly every row has a text of its own"
    if (
        says(facts.name, "person")
        and different > 0.3
        and facts.distinct > 20
        and (facts.integers or facts.form == "text")
    ):
        return "a key"
    return None


def _is_coded(facts: ColumnFacts) -> bool:
    concept = folded(facts.name).endswith("concept id")
    return concept or (re.search(_CODED, folded(facts.name)) is not None and _few(facts))


def _few(facts: ColumnFacts) -> bool:
    return facts.is_number and facts.integers and 2 <= len(facts.levels) <= 8


def _clean(found: ColumnsTaken, columns: list[ColumnFacts]) -> None:
    for facts in columns:
        cleaned = clean_number(facts)
        if cleaned is not None:
            found.derive[facts.name] = cleaned.sql
            found.notes.append(f"{facts.name} is read with {cleaned.what}, as in {cleaned.example!r}")
            continue
        words = [word for word in facts.missing_words if word not in found.missing]
        found.missing += words


def _sentinels(found: ColumnsTaken, columns: list[ColumnFacts]) -> None:
    """A negative number that stands apart from all others, which are zero and above."""
    marked = {facts.name: facts.lowest for facts in columns if facts.lowest in _SENTINELS and facts.next_lowest >= 0}
    for value in sorted(set(marked.values())):
        names = [name for name, lowest in marked.items() if lowest == value]
        others = [facts for facts in columns if facts.name not in marked and facts.lowest <= value]
        if others:
            found.derive |= {name: f"NULLIF({sql_name(name)}, {value:g})" for name in names if name not in found.derive}
        else:
            found.missing.append(int(value))
        found.notes.append(f"{value:g} means not measured in {shown(names, 6)}: all other values are zero or above")


def _zeros(found: ColumnsTaken, columns: list[ColumnFacts]) -> None:
    """A zero that nobody can have: it stands far below all other values, which lie close together."""
    for facts in columns:
        apart = facts.lowest == 0 and facts.next_lowest >= 10 and facts.next_lowest > 0.15 * facts.middle
        if apart and facts.distinct > 20 and facts.name not in found.derive:
            found.derive[facts.name] = f"NULLIF({sql_name(facts.name)}, 0)"
            found.notes.append(
                f"{facts.name}: 0 stands apart from all other values (the next is {facts.next_lowest:g}) and is read "
                f"as "
                "not measured"
            )
