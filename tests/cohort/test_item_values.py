"""Values item by item are those that sorting all cells at once gives."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from gdsfd.cohort import item_values
from gdsfd.cohort.cohort import EventObservations
from gdsfd.cohort.item_values import by_item, values_by_item
from gdsfd.cohort.packing import pieces_of_runs

ITEMS, PATIENTS = 6, 40


def events(seed: int = 0) -> EventObservations:
    """Cells of some of the patients; nobody has the fourth item."""
    random = np.random.default_rng(seed)
    patient = np.sort(random.choice(PATIENTS, 25, replace=False))
    ptr = np.concatenate([[0], np.cumsum(random.integers(1, 30, len(patient)))])
    item = random.choice([0, 1, 2, 4, 5], ptr[-1], p=[0.6, 0.1, 0.1, 0.1, 0.1]).astype(np.int32)
    value = random.normal(size=ptr[-1]).astype(np.float32)
    nothing = np.zeros(0, np.int32)
    return EventObservations(patient, ptr, np.zeros_like(item), item, value, ptr, nothing, np.zeros((0, 6), np.float32))


def sorted_at_once(
    found: EventObservations, among: NDArray[np.bool_]
) -> list[tuple[NDArray[np.float32], NDArray[np.int64]]]:
    owner = np.repeat(found.patient, np.diff(found.ptr))
    kept = among[owner]
    item, value, owner = found.item[kept], found.value[kept], owner[kept]
    order = np.argsort(item, kind="stable")
    bounds = np.searchsorted(item[order], np.arange(ITEMS + 1))
    places = [order[bounds[k] : bounds[k + 1]] for k in range(ITEMS)]
    return [(value[place], owner[place]) for place in places]


@pytest.mark.parametrize("held", [1, 20, 60, 1000])
@pytest.mark.parametrize("piece", [1, 50, 10**6])
def test_a_few_items_at_a_time_or_all_at_once(held: int, piece: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(item_values, "pieces_of_runs", lambda ptr: pieces_of_runs(ptr, piece))
    found, among = events(), np.random.default_rng(1).random(PATIENTS) < 0.6
    monkeypatch.setattr(item_values, "_HELD", held)
    for who in (among, np.zeros(PATIENTS, bool), np.ones(PATIENTS, bool)):
        expected = sorted_at_once(found, who)
        got = list(values_by_item(found, ITEMS, who))
        assert len(got) == ITEMS
        for (values, patients), (wanted, owners) in zip(got, expected, strict=True):
            np.testing.assert_array_equal(values, wanted)
            np.testing.assert_array_equal(patients, owners)
    everybody = [values for values, _ in values_by_item(found, ITEMS)]
    np.testing.assert_array_equal(np.concatenate(everybody), np.concatenate([part for part, _ in expected]))


def test_without_items_there_is_nothing() -> None:
    found = events()
    found.ptr, found.patient = np.zeros(1, np.int64), np.zeros(0, np.int64)
    assert list(values_by_item(found, 0)) == []
    assert [len(values) for values, _ in values_by_item(found, 3)] == [0, 0, 0]


def test_any_number_of_a_run_and_any_arrays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(item_values, "_HELD", 20)
    found = events()
    owner = np.arange(len(found.patient)) * 2
    owner[::3] = -1
    summary = np.stack([found.value, -found.value], axis=1)
    run = np.repeat(owner, np.diff(found.ptr))
    parts = by_item(found.ptr, found.item, owner, ITEMS, [summary[:, 0], summary[:, 1], run])
    for item, (whose, one, other, again) in enumerate(parts):
        mine = (found.item == item) & (run >= 0)
        np.testing.assert_array_equal(whose, run[mine])
        np.testing.assert_array_equal(again, run[mine])
        np.testing.assert_array_equal(one, found.value[mine])
        np.testing.assert_array_equal(other, -found.value[mine])
