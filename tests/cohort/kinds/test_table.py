from __future__ import annotations

import numpy as np
import pytest

from gdsfd.cohort.cohort import TableObservations, arrays_of
from gdsfd.cohort.kinds.table import TABLE
from gdsfd.cohort.schema import ModalityFields, NumericScale
from gdsfd.cohort.spec import TableSpec
from gdsfd.cohort.spec.column_needs import ColumnNeeds

NAN = np.nan
FOUND = TableObservations(
    np.array([0, 2, 5]),
    np.array([[1.0, NAN], [2.0, 7.0], [NAN, 8.0]], np.float32),
    np.array([[2, 0], [3, 2], [1, 2]]),  # level ICU, level ward, unseen; not measured, yes, yes
)


@pytest.fixture
def fields(scales: tuple[NumericScale, ...]) -> ModalityFields:
    return ModalityFields(
        "labs", "table", ("wbc", "k"), ("unit", "tube"), (("ICU", "ward"), ("yes",)), scales=scales[:2]
    )


def test_flat_columns_are_numbers_and_levels(fields: ModalityFields) -> None:
    blocks = list(TABLE.flatten(fields, arrays_of(FOUND), np.array([2, -1, 0])))
    names = [name for _, part in blocks for name in part]
    assert names == [
        *("labs.wbc", "labs.k", "labs.unit=(other)", "labs.unit=ICU", "labs.unit=ward"),
        *("labs.tube=(other)", "labs.tube=yes"),
    ]
    expected = [[NAN, 8, 1, 0, 0, 0, 1], [NAN] * 7, [1, NAN, 0, 1, 0, NAN, NAN]]
    np.testing.assert_array_equal(np.concatenate([block for block, _ in blocks], axis=1), expected)


def test_columns_are_found_by_their_names(fields: ModalityFields) -> None:
    assert TABLE.columns(fields) == ("wbc", "k", "unit", "tube")
    np.testing.assert_array_equal(TABLE.column(fields, arrays_of(FOUND), "k"), [NAN, 7, 8])
    np.testing.assert_array_equal(TABLE.column(fields, arrays_of(FOUND), "tube"), [0, 2, 2])


def test_content_has_a_column_per_number_and_level(fields: ModalityFields) -> None:
    expected = [[1, NAN, 1, 0, 0], [2, 7, 0, 1, 1], [NAN, 8, 0, 0, 1]]
    np.testing.assert_array_equal(TABLE.content(fields, arrays_of(FOUND), 3), expected)


def test_feature_nodes_and_a_few_words(fields: ModalityFields) -> None:
    words = ["unit = [unseen]", "unit = ICU", "unit = ward", "tube = [unseen]", "tube = yes"]
    assert TABLE.cells(fields) == (["wbc", "k"], words)
    assert TABLE.describe(fields) == "2 numeric, 2 categorical"


def test_ranges_are_of_measured_values_with_the_scale_of_their_column(fields: ModalityFields) -> None:
    found = [(name, values.tolist(), scale) for name, values, scale in TABLE.ranges(fields, FOUND)]
    assert found == [("wbc", [[1], [2]], fields.scales[:1]), ("k", [[7], [8]], fields.scales[1:])]


def test_the_layout_knows_how_many_levels_each_column_has(fields: ModalityFields) -> None:
    assert TABLE.rows["categorical"].below(fields) == [4, 3]
    assert (TABLE.rows["numeric"].sizes(fields), TABLE.rows["categorical"].sizes(fields)) == ((2,), (2,))
    assert TABLE.rows["numeric"].may_miss


def test_a_source_is_asked_for_what_the_entry_names() -> None:
    needs = ColumnNeeds()
    entry = TableSpec(name="labs", kind="table", source="a.csv", id="pid", columns=["wbc"], categorical=["unit"])
    TABLE.needs(needs, entry, None)
    assert [column for column in ("wbc", "unit", "k") if needs.wants(column)] == ["wbc", "unit"]
    needs = ColumnNeeds()
    TABLE.needs(needs, TableSpec(name="labs", kind="table", source="a.csv", id="pid", exclude=["k*"]), None)
    assert [column for column in ("wbc", "unit", "k") if needs.wants(column)] == ["wbc", "unit"]
