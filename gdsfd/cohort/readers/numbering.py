"""Numbers in place of repeated texts (items, codes), so that rows stay small on their way through the database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from gdsfd.cohort.keys.key_cells import check_key_cells
from gdsfd.cohort.sources.internal_names import KEEP, NUMBER, OWN_KEY
from gdsfd.cohort.sources.sources import Sources, View
from gdsfd.cohort.sources.values import as_text

__all__ = ["NUMBER", "number_texts"]


def number_texts(
    view: View, column: str, sources: Sources, first: Sequence[str] = (), field: str | None = None
) -> tuple[Any, list[str]]:
    """Numbers a column's distinct texts.

    Args:
        view: The source.
        column: The column.
        sources: The build's sources.
        first: Texts that get the first numbers, in this order, whether the source has them or not.
        field: What the spec calls the column, where a cell is one name; None = a cell may be a list of names.

    Returns:
        The source's rows with :data:`NUMBER` beside them, and the texts by number (after ``first`` by name).
    """
    table, database = view.table, sources.database
    cell = table[column]
    if field is not None:
        check_key_cells(view, column, field, sources, exact=True)
    with database.reading(view.label):
        found = database.fetch(table.filter(table[KEEP] & cell.notnull()).select(as_text(cell).name("text")).distinct())
    texts = [*first, *sorted(set(found["text"].to_pylist()).difference(first))]
    key = f"{OWN_KEY}_of_text"
    numbers = pa.table({key: pa.array(texts, pa.string()), NUMBER: pa.array(range(len(texts)), pa.int32())})
    stored = database.store(database.new_name("texts"), numbers)
    keyed = table.mutate(as_text(cell).name(OWN_KEY))
    return keyed.left_join(stored, keyed[OWN_KEY] == stored[key]).drop(OWN_KEY, key), texts
