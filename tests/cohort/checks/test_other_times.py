"""Times in another unit are told of; those of a hospital that is merely another are not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import gdsfd
from gdsfd.errors import SchemaError
from tests.cohort.survival_exports import survival_frames, survival_spec


@pytest.fixture(scope="module")
def trained() -> object:
    return gdsfd.build_graph(survival_spec(survival_frames(300), intervals=4))


def told(trained: object, times: pd.Series, events: pd.Series | int | None = None, **outcome: str) -> list[str]:
    cohort, labs, vitals = survival_frames(60, seed=1)
    cohort["days"] = times
    if events is not None:
        cohort["died"] = events
    graph = gdsfd.build_graph(survival_spec((cohort, labs, vitals), **outcome), like=trained)
    return [one.text for one in graph.receipt.findings if one.where == "death" and one.kind == "range"]


def test_times_in_another_unit_are_questioned(trained: object) -> None:
    days = survival_frames(60, seed=1)[0]["days"]
    assert told(trained, days) == []
    assert told(trained, days / 3) == []
    (years,) = told(trained, days / 365.25)
    assert years.startswith("all 60 times end within the first interval, by ")
    assert years.endswith("are times in the unit of the training patients' (days)?")
    (minutes,) = told(trained, days * 1440)  # a few early events stay within the horizon
    assert "events come after the horizon" in minutes


def test_a_hospital_where_hardly_anybody_has_the_event_is_no_other_unit(trained: object) -> None:
    assert told(trained, pd.Series(np.full(60, 5000.0)), events=0) == []


def test_two_units_that_are_written_out_are_refused(trained: object) -> None:
    days = survival_frames(60, seed=1)[0]["days"]
    assert told(trained, days, unit="Days") == []
    with pytest.raises(SchemaError, match=r"in 'days', those of the spec in 'weeks'; work them out in 'days' with"):
        told(trained, days / 7, unit="weeks")
