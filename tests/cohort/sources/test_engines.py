from __future__ import annotations

import pytest

from gdsfd.cohort.build import build_cohort
from gdsfd.cohort.sources.engines import checked_engine
from gdsfd.cohort.spec import CohortSpec
from gdsfd.errors import InputError
from tests.cohort.small_exports import spec


def test_the_spec_says_which_unless_the_caller_does() -> None:
    assert checked_engine(None, "duckdb") == "duckdb"
    assert checked_engine("duckdb", "spark") == "duckdb"


def test_what_is_no_engine_is_refused() -> None:
    with pytest.raises(InputError, match="engine: expected 'duckdb', 'spark' or a Spark session, got 'dask'"):
        build_cohort(spec(), engine="dask")
    with pytest.raises(InputError, match="engine"):
        CohortSpec(**spec().model_dump() | {"engine": "dask"})


def test_what_a_graph_keeps_of_the_spec_does_not_say_who_read_it() -> None:
    assert spec(engine="spark").to_dict() == spec().to_dict()
