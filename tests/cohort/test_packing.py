"""Packed runs against loops over lists."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gdsfd.cohort.packing import pointers, runs_for, spread

RUNS = st.lists(st.integers(0, 4), min_size=1, max_size=6)


def packed(lengths: list[int]) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)


@given(st.lists(st.integers(0, 9)).map(sorted))
def test_pointers_are_where_the_owner_changes(owner: list[int]) -> None:
    owners, ptr = pointers(np.array(owner, np.int32))
    assert owners.tolist() == sorted(set(owner))
    assert [owner[ptr[k] : ptr[k + 1]] for k in range(len(owners))] == [[k] * owner.count(k) for k in owners.tolist()]
    assert (owners.dtype, ptr.dtype, ptr[0], ptr[-1]) == (np.int64, np.int64, 0, len(owner))


@given(RUNS, st.data())
def test_chosen_runs_one_after_the_other(lengths: list[int], data: st.DataObject) -> None:
    runs = data.draw(st.lists(st.integers(0, len(lengths) - 1), max_size=8))
    ptr = packed(lengths)
    expected = [(at, cell) for at, run in enumerate(runs) for cell in range(ptr[run], ptr[run + 1])]
    owner, place = spread(ptr, np.array(runs, np.int64))
    assert list(zip(owner.tolist(), place.tolist(), strict=True)) == expected


@given(RUNS, st.data())
def test_who_has_no_observation_has_no_cell(lengths: list[int], data: st.DataObject) -> None:
    edges = data.draw(st.lists(st.integers(-1, len(lengths) - 1), max_size=8))
    ptr = packed(lengths)
    expected = [(cell, at) for at, edge in enumerate(edges) if edge >= 0 for cell in range(ptr[edge], ptr[edge + 1])]
    cell, place = runs_for(ptr, np.array(edges, np.int64))
    assert list(zip(cell.tolist(), place.tolist(), strict=True)) == expected


def test_spread_with_empty_runs() -> None:
    owner, place = spread(np.array([0, 0, 2, 3]), np.array([1, 0, 2, 1], dtype=np.int64))
    assert owner.tolist() == [0, 0, 2, 3, 3]
    assert place.tolist() == [0, 1, 2, 0, 1]
    assert spread(np.array([0]), np.zeros(0, dtype=np.int64))[0].tolist() == []
