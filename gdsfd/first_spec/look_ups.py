"""Look-up tables: what is known of a hospital or a person, one row each, to be put beside the cohort's rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from gdsfd.first_spec.keys import Keys
from gdsfd.first_spec.layouts import Layout
from gdsfd.first_spec.leaks import leak_by_name
from gdsfd.first_spec.sample import ExportTable
from gdsfd.first_spec.words import says

__all__ = ["LookUp", "find_look_ups"]

_COVERED = 0.8  #: share of the cohort's keys that the look-up must have
_MOST = 12  #: columns taken


@dataclass(frozen=True)
class LookUp:
    """A look-up.

    Args:
        table: The table.
        on: The column that both tables have.
        columns: Columns taken.
        leaves: Column -> why it is not taken.
    """

    table: ExportTable
    on: str
    columns: tuple[str, ...]
    leaves: dict[str, str] = field(default_factory=dict)


def find_look_ups(
    tables: Sequence[ExportTable], keys: Keys, holder: ExportTable, outcome: str, layout: Layout
) -> list[LookUp]:
    """Finds tables whose key the cohort table has as well, but does not tell patients apart.

    Args:
        tables: The export.
        keys: What names patients.
        holder: The table that holds the outcome; where it is another than the cohort's, it is looked up.
        outcome: The outcome's column.
        layout: What is known of the export.
    """
    cohort = keys.table
    found, taken = [], {name.casefold() for name in cohort.columns}
    for table in tables:
        must = table is holder and holder is not cohort
        if table is cohort or (table.column(keys.id) is not None and not must):
            continue
        on = next((name for name in cohort.columns if _is_key(table, cohort, name, must)), None)
        if on is None:
            continue
        leaves: dict[str, str] = {}
        columns = []
        for name, facts in table.facts.items():
            why = layout.leak(name) or leak_by_name(name)
            if must and name == outcome:
                columns.append(name)
            elif name == on or name.casefold() in taken:
                continue
            elif why is not None:
                leaves[name] = why
            elif (
                facts.filled
                and not facts.is_time
                and not says(name, "text")
                and not facts.unique
                and len(columns) < _MOST
            ):
                columns.append(name)
        if columns:
            found.append(LookUp(table, on, tuple(columns), leaves))
            taken |= {name.casefold() for name in columns}
    return found


def _is_key(table: ExportTable, cohort: ExportTable, name: str, must: bool) -> bool:
    if name not in table.columns or not table.facts[name].unique:
        return False
    own = {cell for cell in cohort.cells(name) if cell is not None}
    there = {cell for cell in table.cells(name) if cell is not None}
    return bool(own) and (must or len(own & there) >= _COVERED * len(own) or not table.whole)
