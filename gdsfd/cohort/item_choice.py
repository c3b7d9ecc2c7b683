"""Which items of an event modality are kept."""

from __future__ import annotations

from dataclasses import dataclass

from gdsfd.cohort.matching import TRAIN, Rows
from gdsfd.cohort.spec import EventsSpec

__all__ = ["ItemChoice", "choose_items"]


@dataclass
class ItemChoice:
    """Items of an event modality.

    Args:
        kept: Names, in the order of their numbers in the cohort.
        read_as: For each kept item its number while reading (long form) or its column ``v<number>`` (wide form).
        dropped: Names of the others, most frequent first.
        rows_lost: Rows that held only dropped items.
    """

    kept: list[str]
    read_as: list[int]
    dropped: list[str]
    rows_lost: int


def choose_items(
    rows: Rows, modality: EventsSpec, names: list[str], wide: bool, fitted: tuple[str, ...] | None
) -> ItemChoice:
    """Keeps the items with enough events in train, or those of a fitted schema.

    Args:
        rows: Settled rows with column ``number`` (long form) or ``v0, v1, ...`` (wide form).
        modality: The spec's entry.
        names: The items' names by number or by column.
        wide: Whether the form is wide.
        fitted: Items of a fitted schema.
    """
    table = rows.table
    if wide:
        train_rows = table.filter(table[TRAIN])
        counts = rows.fetch_row(train_rows, **{f"c{k}": train_rows[f"v{k}"].count() for k in range(len(names))})
        train = [int(counts[f"c{k}"]) for k in range(len(names))]
        total = train
    else:
        train, total = [0] * len(names), [0] * len(names)
        counted = rows.fetch(table.group_by("number").agg(train=table[TRAIN].sum(), rows=table.count()))
        for row in counted.to_pylist():
            train[row["number"]], total[row["number"]] = int(row["train"] or 0), int(row["rows"])
    if fitted is None:
        read_as = [k for k in range(len(names)) if train[k] >= modality.min_count]
    else:
        read_as = list(range(len(fitted)))
    wanted = set(read_as)
    seen = [k for k in range(len(names)) if k not in wanted and (wide or total[k])]
    seen.sort(key=lambda k: (-total[k], names[k]))
    lost = sum(total[k] for k in seen) if not wide else _rows_without(rows, read_as) if seen else 0
    return ItemChoice([names[k] for k in read_as], read_as, [names[k] for k in seen], lost)


def _rows_without(rows: Rows, columns: list[int]) -> int:
    """Rows of the wide form that have none of the columns' values."""
    table = rows.table
    for k in columns:
        table = table.filter(table[f"v{k}"].isnull())
    return int(rows.fetch_row(table, lost=table.count())["lost"])
