"""Which items are kept, on rows made by hand."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pytest

from gdsfd.cohort.readers.item_choice import ItemChoice, choose_items
from gdsfd.cohort.readers.matched_rows import TRAIN
from gdsfd.cohort.sources.database import Database
from gdsfd.cohort.spec import EventsSpec

NAMES = ["hr", "map", "k", "rare", "nowhere"]


@pytest.fixture
def database() -> Iterator[Database]:
    with Database() as opened:
        yield opened


def rows_of(database: Database, **columns: list[Any]) -> Any:
    """Stands for the matched rows: a table, and what is asked of it."""
    return SimpleNamespace(
        table=database.store("rows", pa.table(columns)),
        findings=[],
        fetch=database.fetch,
        fetch_row=lambda table, **values: database.fetch(table.aggregate(**values)).to_pylist()[0],
    )


def entry(min_count: int, **fields: Any) -> EventsSpec:
    return EventsSpec(name="m", kind="events", source="a.csv", id="pid", min_count=min_count, **fields)


def long_rows(database: Database) -> Any:
    """hr: 3 rows of train and 1 of others; map: 1 and 4; k: 2 and 0; rare: 1 and 0."""
    events = [(0, True)] * 3 + [(0, False)] + [(1, True)] + [(1, False)] * 4 + [(2, True)] * 2 + [(3, True)]
    return rows_of(database, **{"number": [item for item, _ in events], TRAIN: [train for _, train in events]})


@pytest.mark.parametrize(
    ("min_count", "expected"),
    [
        (1, ItemChoice(["hr", "map", "k", "rare"], [0, 1, 2, 3], [], 0)),
        (2, ItemChoice(["hr", "k"], [0, 2], ["map", "rare"], 6)),  # map is rare in train, whatever others have
        (3, ItemChoice(["hr"], [0], ["map", "k", "rare"], 8)),
        (4, ItemChoice([], [], ["map", "hr", "k", "rare"], 12)),
    ],
)
def test_items_that_are_frequent_in_train_are_kept(database: Database, min_count: int, expected: ItemChoice) -> None:
    assert choose_items(long_rows(database), entry(min_count, item="test"), NAMES, None, None) == expected


def test_dropped_items_that_are_as_frequent_are_listed_by_name(database: Database) -> None:
    rows = rows_of(database, **{"number": [2, 1, 0], TRAIN: [True] * 3})
    assert choose_items(rows, entry(2, item="test"), ["b", "a", "c"], None, None).dropped == ["a", "b", "c"]


def test_fitted_items_are_kept_whether_they_are_there_or_not(database: Database) -> None:
    names = ["k", "nowhere", "hr", "map", "rare"]
    order = {0: 2, 1: 3, 2: 0, 3: 4}
    rows = long_rows(database)
    table = database.fetch(rows.table)
    numbers = [order[item] for item in table["number"].to_pylist()]
    rows.table = database.store("renumbered", pa.table({"number": numbers, TRAIN: table[TRAIN]}))
    choice = choose_items(rows, entry(1000, item="test"), names, None, ("k", "nowhere", "hr"))
    assert choice == ItemChoice(["k", "nowhere", "hr"], [0, 1, 2], ["map", "rare"], 6)


def test_rows_of_the_wide_form_are_lost_when_all_their_items_are_dropped(database: Database) -> None:
    rows = rows_of(database, **{"row": [0, 1, 2, 3], TRAIN: [True, True, False, True]})
    cells = [(0, 0), (0, 1), (1, 0), (2, 1), (3, 1)]  # row 3 has map alone, row 2 does not train
    values = database.store("cells", pa.table({"row": [row for row, _ in cells], "number": [k for _, k in cells]}))
    names = ["hr", "map", "k"]
    wide = {"values": names}
    assert choose_items(rows, entry(2, **wide), names, values, None) == ItemChoice(["hr", "map"], [0, 1], ["k"], 0)
    assert choose_items(rows, entry(3, **wide), names, values, None) == ItemChoice([], [], ["hr", "map", "k"], 4)
    fitted = choose_items(rows, entry(9, **wide), names, values, ("hr",))
    assert fitted == ItemChoice(["hr"], [0], ["map", "k"], 2)
