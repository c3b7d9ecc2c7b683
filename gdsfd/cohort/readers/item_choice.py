"""Which items of an event modality are kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gdsfd.cohort.keys.new_keys import judge_new_keys
from gdsfd.cohort.keys.spelling_findings import find_spellings
from gdsfd.cohort.readers.matched_rows import TRAIN, MatchedRows
from gdsfd.cohort.spec import EventsSpec

__all__ = ["ItemChoice", "choose_items"]


@dataclass
class ItemChoice:
    """Items of an event modality.

    Args:
        kept: Names, in the order of their numbers in the cohort.
        read_as: For each kept item its number while reading.
        dropped: Names of the others, most frequent first.
        rows_lost: Rows that held only dropped items.
    """

    kept: list[str]
    read_as: list[int]
    dropped: list[str]
    rows_lost: int


def choose_items(
    rows: MatchedRows, modality: EventsSpec, names: list[str], values: Any | None, fitted: tuple[str, ...] | None
) -> ItemChoice:
    """Keeps the items with enough events in train, or those of a fitted schema.

    Args:
        rows: Materialized rows, with column ``number`` (long form) or ``row`` (wide form).
        modality: The spec's entry.
        names: The items' names by number or by column.
        values: The values of the wide form (:func:`~gdsfd.cohort.readers.event_values.materialize_wide`), or None.
        fitted: Items of a fitted schema.
    """
    table = rows.table if values is None else values.join(rows.table, "row")
    train, total = [0] * len(names), [0] * len(names)
    counted = rows.fetch(table.group_by("number").agg(train=table[TRAIN].sum(), rows=table.count()))
    for row in counted.to_pylist():
        train[row["number"]], total[row["number"]] = int(row["train"] or 0), int(row["rows"])
    if values is not None:
        total = train
    if fitted is None:
        read_as = [k for k in range(len(names)) if train[k] >= modality.min_count]
    else:
        read_as = list(range(len(fitted)))
    if values is None:
        column, counts = modality.item or "", {names[k]: total[k] for k in range(len(names)) if total[k]}
        if fitted is None:
            rows.findings += find_spellings(modality.name, counts, "items")
        else:
            rows.findings += judge_new_keys(modality.name, counts, fitted, "items", column=column)
    wanted = set(read_as)
    seen = [k for k in range(len(names)) if k not in wanted and (values is not None or total[k])]
    seen.sort(key=lambda k: (-total[k], names[k]))
    lost = sum(total[k] for k in seen) if values is None else _rows_without(rows, values, read_as) if seen else 0
    return ItemChoice([names[k] for k in read_as], read_as, [names[k] for k in seen], lost)


def _rows_without(rows: MatchedRows, values: Any, kept: list[int]) -> int:
    """Rows of the wide form that have a value of none of the items kept."""
    found = values.filter(values["number"].isin(kept)) if kept else values.limit(0)
    table = rows.table.filter(~rows.table["row"].isin(found["row"]))
    return int(rows.fetch_row(table, lost=table.count())["lost"])
