from __future__ import annotations

import numpy as np

from gdsfd.cohort.kinds.flat import rows_for


def test_each_patient_has_the_row_of_its_own_observation_or_nothing() -> None:
    values = np.array([[1.0, 2.0], [3.0, np.nan], [5.0, 6.0]])
    edges = np.array([2, -1, 0, 2, 1])
    rows = rows_for(values, edges)
    nan = np.nan
    np.testing.assert_array_equal(rows, [[5, 6], [nan, nan], [1, 2], [5, 6], [3, nan]])
    assert rows.dtype == np.float32


def test_without_observations_or_patients() -> None:
    assert np.isnan(rows_for(np.zeros((0, 3)), np.array([-1, -1]))).all()
    assert rows_for(np.zeros((0, 3)), np.zeros(0, np.int64)).shape == (0, 3)
