"""Patients of the same values have one hash, others have another."""

from __future__ import annotations

import numpy as np
import pytest

from gdsfd.cohort.value_hashes import (
    different_in_events,
    different_in_table,
    hashes_of_events,
    hashes_of_table,
    mixed,
)

RNG = np.random.default_rng(0)
NUMERIC = RNG.normal(size=(500, 4)).round(1).astype(np.float32)
NUMERIC[RNG.random(NUMERIC.shape) < 0.3] = np.nan
LEVELS = RNG.integers(0, 3, (500, 2))


def test_rows_of_a_table_are_equal_where_their_hashes_are() -> None:
    content, count = hashes_of_table(NUMERIC, LEVELS)
    rows = [(row.tobytes(), levels.tobytes()) for row, levels in zip(NUMERIC, LEVELS)]
    number = {row: place for place, row in enumerate(dict.fromkeys(rows))}
    expected = np.array([number[row] for row in rows])
    np.testing.assert_array_equal(expected[:, None] == expected, content[:, None] == content)
    np.testing.assert_array_equal(count, (~np.isnan(NUMERIC)).sum(1))


def test_columns_and_levels_have_places() -> None:
    swapped, _ = hashes_of_table(NUMERIC[:, ::-1], LEVELS)
    turned, _ = hashes_of_table(NUMERIC, LEVELS[:, ::-1])
    content, _ = hashes_of_table(NUMERIC, LEVELS)
    assert (swapped == content).mean() < 0.1
    assert ((turned == content) == (LEVELS[:, 0] == LEVELS[:, 1])).all()


@pytest.mark.parametrize("patients", [3, 40_000])
def test_events_count_in_any_order(patients: int) -> None:
    ptr = np.arange(patients + 1) * 3
    step, item = (RNG.integers(0, 5, 3 * patients).astype(np.int32) for _ in range(2))
    value = RNG.normal(size=3 * patients).astype(np.float32)
    content, count = hashes_of_events(ptr, step, item, value)
    turned, _ = hashes_of_events(ptr, *(part.reshape(-1, 3)[:, ::-1].ravel() for part in (step, item, value)))
    np.testing.assert_array_equal(turned, content)
    other = value.copy()
    other[4] += 1
    changed, _ = hashes_of_events(ptr, step, item, other)
    assert np.flatnonzero(changed != content).tolist() == [1]
    assert len(np.unique(content)) == patients
    assert (count == 3).all()


@pytest.mark.parametrize("patients", [500, 20_000])
def test_different_numbers_are_counted_one_patient_at_a_time(patients: int) -> None:
    numeric = np.tile(NUMERIC, (patients // 500, 1))
    numeric[::7] = 0.0
    expected = [len(set(row[~np.isnan(row)].tolist())) for row in numeric]
    assert different_in_table(numeric).tolist() == expected
    cells = RNG.integers(0, 6, patients)
    ptr = np.concatenate([[0], np.cumsum(cells)])
    value = RNG.integers(-2, 3, ptr[-1]).astype(np.float32)
    value[RNG.random(len(value)) < 0.2] = np.nan
    rows = RNG.permutation(patients)[: patients - 3]
    own = [value[ptr[row] : ptr[row + 1]] for row in rows]
    expected = [len(set(each[~np.isnan(each)].tolist())) for each in own]
    assert different_in_events(ptr, value, rows).tolist() == expected


def test_bits_are_mixed() -> None:
    assert len(np.unique(mixed(np.arange(10_000, dtype=np.uint64)) >> np.uint64(32))) > 9_990
