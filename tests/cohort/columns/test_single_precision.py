from __future__ import annotations

import numpy as np
import pytest

from gdsfd.cohort.columns.single_precision import LARGEST, check_stored, loses_digits
from gdsfd.errors import InputError


def test_what_is_infinite_once_stored_is_refused_with_its_id() -> None:
    values = np.array([1.0, LARGEST, -1e-50, np.nan])
    np.testing.assert_array_equal(check_stored(values, "column 'x'", str), values.astype(np.float32))
    with pytest.raises(
        InputError, match=r"column 'x': 2 values are too large .*3.4e\+38.*: 1e\+39 \(id p1\), -4e\+38 "
    ):
        check_stored(np.array([1.0, 1e39, -4e38]), "column 'x'", lambda row: f"p{row}")
    with pytest.raises(InputError, match=r"1 values .* \(id 1\)"):
        check_stored(np.array([[0.0, 1.0], [2.0, 1e300]]), "vectors", str)


def test_digits_lost() -> None:
    stamps = np.arange(20240131000000.0, 20240131000050.0)
    assert loses_digits(stamps) == (50, len(np.unique(stamps.astype(np.float32))))
    assert loses_digits(np.arange(50.0)) is None
    assert loses_digits(np.array([np.nan])) is None
    assert loses_digits(np.arange(50) * 1e6) is None  # large, but still told apart
