"""Items of an event modality: their numbers while reading, and which are kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from gdsfd.cohort.event_values import NUMBER
from gdsfd.cohort.matching import TRAIN, Rows
from gdsfd.cohort.sources import Sources, View
from gdsfd.cohort.spec import EventsSpec
from gdsfd.cohort.user_sql import KEEP
from gdsfd.cohort.values import as_text

__all__ = ["ItemChoice", "choose_items", "number_items"]


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


def number_items(
    view: View, modality: EventsSpec, sources: Sources, fitted: tuple[str, ...] | None
) -> tuple[Any, list[str]]:
    """Numbers the items of the long form, so that rows carry a small number instead of a name.

    Args:
        view: The source.
        modality: The spec's entry.
        sources: The build's sources.
        fitted: Items of a fitted schema; they come first, in their order.

    Returns:
        The source's rows with :data:`~gdsfd.cohort.event_values.NUMBER`, and the items' names by number.
    """
    table = view.table
    item = table[view.require(modality.item or "", f"item of modality {modality.name!r}")]
    database = sources.database
    with database.reading(view.label):
        found = database.fetch(table.filter(table[KEEP] & item.notnull()).select(item=as_text(item)).distinct())
    distinct = set(found["item"].to_pylist())
    names = sorted(distinct) if fitted is None else [*fitted, *sorted(distinct.difference(fitted))]
    numbers = pa.table({"__item": pa.array(names, pa.string()), NUMBER: pa.array(range(len(names)), pa.int32())})
    stored = database.store(database.new_name("items"), numbers)
    keyed = table.mutate(__item_key=as_text(item))
    return keyed.left_join(stored, keyed["__item_key"] == stored["__item"]).drop("__item_key", "__item"), names


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
    seen = [k for k in range(len(names)) if k not in set(read_as) and (wide or total[k])]
    seen.sort(key=lambda k: (-total[k], names[k]))
    lost = sum(total[k] for k in seen) if not wide else _rows_without(rows, read_as) if seen else 0
    return ItemChoice([names[k] for k in read_as], read_as, [names[k] for k in seen], lost)


def _rows_without(rows: Rows, columns: list[int]) -> int:
    """Rows of the wide form that have none of the columns' values."""
    table = rows.table
    for k in columns:
        table = table.filter(table[f"v{k}"].isnull())
    return int(rows.fetch_row(table, lost=table.count())["lost"])
