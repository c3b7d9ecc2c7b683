"""A cohort's observations as the arrays of a graph."""

from __future__ import annotations

import numpy as np

from gdsfd.cohort.cohort import CodeObservations, arrays_of
from tests.cohort_factory import make_cohort


def test_as_many_patients_as_ids() -> None:
    assert [len(make_cohort(count)) for count in (0, 1, 7)] == [0, 1, 7]


def test_the_arrays_are_the_own_ones_under_the_keys_of_a_graph() -> None:
    codes = CodeObservations(np.array([1, 4]), np.array([0, 2, 3]), np.array([0, 5, 2], np.int32))
    arrays = arrays_of(codes)
    assert list(arrays) == ["run_ptr", "code"]  # PyG keeps ptr for itself; the patients are the edge list
    assert arrays["run_ptr"] is codes.ptr
    assert arrays["code"] is codes.code


def test_only_the_pointer_called_ptr_changes_its_name() -> None:
    labs = make_cohort(20).observations["labs"]
    expected = {"run_ptr", "step", "item", "value", "summary_ptr", "summary_item", "summary"}
    assert set(arrays_of(labs)) == expected
