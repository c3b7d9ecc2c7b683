"""A layout that a person knows: recognised by columns, whatever its files are called."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from gdsfd.first_spec.sample import ExportTable

__all__ = ["Layout", "TableHint", "recognised"]


@dataclass(frozen=True)
class TableHint:
    """What is known of the tables that have certain columns.

    Args:
        columns: Columns by which such a table is known; all must be there.
        kind: Its kind, None = as guessed.
        time: Column of its time, or name of a derived one.
        item, value, code, values: As in a spec.
        derive: As in a spec.
        where: As in a spec.
        take: Columns taken of a ``table``; default: those that do not leak.
        leave_out: Why it is left out.
        note: What is said of it.
        window: Start and end in minutes, in place of the window for all.
        name: A better name for its modality.
    """

    columns: frozenset[str]
    kind: str | None = None
    time: str | None = None
    item: str | None = None
    value: str | None = None
    values: tuple[str, ...] = ()
    code: str | None = None
    derive: Mapping[str, str] = field(default_factory=dict)
    where: str | None = None
    take: tuple[str, ...] = ()
    leave_out: str | None = None
    note: str | None = None
    window: tuple[float, float] | None = None
    name: str | None = None


@dataclass(frozen=True)
class Layout:
    """What is known of an export as a whole.

    Args:
        title: What it is.
        signs: It is this layout where for each of these sets one table has all columns.
        id, subject: Columns of the cohort table, where it has them.
        parts: Columns that are the id together.
        origin: Columns of the cohort table that times are counted from, the best first.
        environment, groups: Columns of the cohort table and its look-ups, the best first.
        hours: When predictions are made, hours after the origin.
        leaks: Column, or glob pattern of columns -> why it leaks.
        tables: What is known of single tables; the first that fits counts.
        notes: What is said at the top of the spec.
        where: Row filter of the cohort.
        derive: New columns of the cohort table.
    """

    title: str
    signs: tuple[frozenset[str], ...]
    id: str | None = None
    subject: str | None = None
    parts: tuple[str, ...] = ()
    origin: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    hours: float | None = None
    leaks: Mapping[str, str] = field(default_factory=dict)
    tables: tuple[TableHint, ...] = ()
    notes: tuple[str, ...] = ()
    where: str | None = None
    derive: Mapping[str, str] = field(default_factory=dict)

    def hint(self, table: ExportTable) -> TableHint | None:
        """What is known of a table."""
        have = _columns(table)
        return next((hint for hint in self.tables if _small(hint.columns) <= have), None)

    def leak(self, column: str) -> str | None:
        """Why a column leaks, or None."""
        return next(
            (why for name, why in self.leaks.items() if fnmatch.fnmatchcase(column.casefold(), name.casefold())), None
        )


def recognised(tables: Sequence[ExportTable], layouts: Iterable[Layout]) -> Layout | None:
    """The first layout whose signs are all there.

    Args:
        tables: The export.
        layouts: The layouts that are known.
    """
    have = [_columns(table) for table in tables]
    for layout in layouts:
        if all(any(_small(sign) <= columns for columns in have) for sign in layout.signs):
            return layout
    return None


def _columns(table: ExportTable) -> frozenset[str]:
    return _small([*table.columns, *table.nested])


def _small(names: Iterable[str]) -> frozenset[str]:
    return frozenset(name.casefold() for name in names)
