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
        kept: Names, in the order of their numbers.
        dropped: Names of the others, most frequent first.
        rows_lost: Rows that held only dropped items.
    """

    kept: list[str]
    dropped: list[str]
    rows_lost: int


def choose_items(
    rows: Rows, modality: EventsSpec, wide: list[str] | None, fitted: tuple[str, ...] | None
) -> ItemChoice:
    """Keeps the items with enough events in train, or those of a fitted schema.

    Args:
        rows: Settled rows with columns ``item`` (long form) or ``v0, v1, ...`` (wide form).
        modality: The spec's entry.
        wide: Names of the wide columns; None for the long form.
        fitted: Items of a fitted schema.
    """
    table = rows.table
    if wide is None:
        counted = rows.fetch(table.group_by("item").agg(train=table[TRAIN].sum(), rows=table.count())).to_pylist()
        train = {row["item"]: int(row["train"] or 0) for row in counted}
        total = {row["item"]: int(row["rows"]) for row in counted}
        frequent = sorted(name for name, count in train.items() if count >= modality.min_count)
        kept = frequent if fitted is None else list(fitted)
        dropped = sorted(set(total) - set(kept), key=lambda name: (-total[name], name))
        return ItemChoice(kept, dropped, sum(total[name] for name in dropped))
    train_rows = table.filter(table[TRAIN])
    counts = [train_rows[f"v{k}"].count() for k in range(len(wide))]
    found = rows.fetch(train_rows.aggregate(**{f"c{k}": count for k, count in enumerate(counts)})).to_pylist()[0]
    kept = [name for k, name in enumerate(wide) if found[f"c{k}"] >= modality.min_count] if fitted is None else wide
    dropped = [name for name in wide if name not in kept]
    if not dropped:
        return ItemChoice(kept, [], 0)
    lost = table.count()
    if kept:
        blank = table[f"v{wide.index(kept[0])}"].isnull()
        for name in kept[1:]:
            blank = blank & table[f"v{wide.index(name)}"].isnull()
        lost = blank.sum()
    return ItemChoice(kept, dropped, int(rows.fetch_row(lost=lost)["lost"]))
