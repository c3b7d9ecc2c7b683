from __future__ import annotations

import numpy as np
import pytest

from gdsfd.cohort.cohort import EventObservations, arrays_of
from gdsfd.cohort.kinds.events import EVENTS
from gdsfd.cohort.schema import ModalityFields, NumericScale
from gdsfd.cohort.spec import EventsSpec
from gdsfd.cohort.spec.column_needs import ColumnNeeds

NAN = np.nan
#: Patient 1 has hr 60 and 80 in steps 0 and 2 and k 4.0 in step 2; patient 4 has k 5.0 in step 1. Nobody has map.
FOUND = EventObservations(
    patient=np.array([1, 4]),
    ptr=np.array([0, 3, 4]),
    step=np.array([0, 2, 2, 1], np.int32),
    item=np.array([0, 0, 2, 2], np.int32),
    value=np.array([60, 80, 4, 5], np.float32),
    summary_ptr=np.array([0, 2, 3]),
    summary_item=np.array([0, 2, 2], np.int32),
    summary=np.array([[2, 70, 60, 80, 60, 80], [1, 4, 4, 4, 4, 4], [1, 5, 5, 5, 5, 5]], np.float32),
)


@pytest.fixture
def fields(scales: tuple[NumericScale, ...]) -> ModalityFields:
    return ModalityFields(
        "vitals", "events", items=("hr", "map", "k"), steps=3, bin_minutes=60.0, window=(0, 180), scales=scales
    )


def test_flat_columns_are_the_summaries_of_each_item(fields: ModalityFields) -> None:
    ((block, names),) = EVENTS.flatten(fields, arrays_of(FOUND), np.array([1, -1, 0]))
    words = ("count", "mean", "min", "max", "first", "last")
    assert names == [f"vitals.{item}.{word}" for item in ("hr", "map", "k") for word in words]
    unmeasured = [0, *[NAN] * 5]
    expected = [
        [*unmeasured, *unmeasured, 1, 5, 5, 5, 5, 5],
        unmeasured * 3,
        [2, 70, 60, 80, 60, 80, *unmeasured, 1, 4, 4, 4, 4, 4],
    ]
    np.testing.assert_array_equal(block, expected)


def test_columns_and_content_are_means(fields: ModalityFields) -> None:
    expected = np.array([[70, NAN, 4], [NAN, NAN, 5]])
    np.testing.assert_array_equal(EVENTS.content(fields, arrays_of(FOUND), 2), expected)
    assert EVENTS.columns(fields) == ("hr", "map", "k")
    for number, item in enumerate(fields.items):
        np.testing.assert_array_equal(EVENTS.column(fields, arrays_of(FOUND), item), expected[:, number])


def test_ranges_are_of_cells_with_the_scale_of_their_item(fields: ModalityFields) -> None:
    found = [(name, values.tolist(), scale) for name, values, scale in EVENTS.ranges(fields, FOUND)]
    expected = [("hr", [[60], [80]]), ("map", []), ("k", [[4], [5]])]
    assert found == [(name, values, (scale,)) for (name, values), scale in zip(expected, fields.scales)]


def test_feature_nodes_layout_and_a_few_words(fields: ModalityFields) -> None:
    assert EVENTS.cells(fields) == (["hr", "map", "k"], [])
    assert EVENTS.describe(fields) == "3 items, 3 steps of 60 min"
    assert EVENTS.describe(ModalityFields("m", "events", items=("hr",), steps=1)) == "1 items, no time"
    below = {name: values.below(fields) for run in EVENTS.runs.values() for name, values in run.items() if values.below}
    assert below == {"step": 3, "item": 3, "summary_item": 3}
    assert EVENTS.runs["summary_ptr"]["summary"].sizes(fields) == (6,)


def test_a_source_is_asked_for_the_fitted_items_too(fields: ModalityFields) -> None:
    entry = EventsSpec(name="m", kind="events", source="a.csv", id="pid", item="test", value="result")
    needs = ColumnNeeds()
    EVENTS.needs(needs, entry, fields)
    assert needs.names == {"test", "result"}  # the items of the long form are cells, not columns
    wide = EventsSpec(name="m", kind="events", source="a.csv", id="pid", values="sbp_*")
    needs = ColumnNeeds()
    EVENTS.needs(needs, wide, None)
    assert [column for column in ("sbp_1", "hr") if needs.wants(column)] == ["sbp_1"]
    EVENTS.needs(needs, wide, fields)
    assert needs.wants("hr")
