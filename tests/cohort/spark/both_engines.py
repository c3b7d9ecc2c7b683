"""A cohort built by DuckDB and by Spark."""

from __future__ import annotations

from typing import Any

import numpy as np

from gdsfd.cohort.build import build_cohort
from gdsfd.cohort.cohort import Cohort, arrays_of
from gdsfd.cohort.spec import CohortSpec
from gdsfd.errors import InputError

__all__ = ["assert_same", "message_of", "same_of_both"]


def same_of_both(spec: CohortSpec, spark: Any, **options: Any) -> Cohort:
    """The cohort of both engines, once they are equal to the last bit, receipts and all."""
    cohort = build_cohort(spec, progress=False, engine="duckdb", **options)
    assert_same(build_cohort(spec, progress=False, engine=spark, **options), cohort)
    return cohort


def assert_same(one: Cohort, other: Cohort) -> None:
    """Two cohorts are equal."""
    for part in ("id", "subject", "split", "environment", "groups"):
        assert getattr(one, part) == getattr(other, part), part
    np.testing.assert_array_equal(one.y, other.y)
    assert one.schema.to_dict() == other.schema.to_dict()
    assert list(one.observations) == list(other.observations)
    for name, observed in one.observations.items():
        beside = other.observations[name]
        np.testing.assert_array_equal(observed.patient, beside.patient, err_msg=name)
        for key, array in arrays_of(observed).items():
            expected = arrays_of(beside)[key]
            assert array.dtype == expected.dtype, (name, key)
            np.testing.assert_array_equal(array, expected, err_msg=f"{name} {key}")
    assert one.receipt.to_dict() == other.receipt.to_dict()


def message_of(spec: CohortSpec, engine: Any) -> str:
    """What a build is refused with."""
    try:
        build_cohort(spec, progress=False, engine=engine)
    except InputError as error:
        return str(error)
    raise AssertionError("it was built")
