from __future__ import annotations

import numpy as np

from gdsfd.cohort.cohort import EmbeddingObservations, arrays_of
from gdsfd.cohort.kinds.embedding import EMBEDDING
from gdsfd.cohort.schema import ModalityFields, NumericScale
from gdsfd.cohort.spec import EmbeddingSpec
from gdsfd.cohort.spec.column_needs import ColumnNeeds

FIELDS = ModalityFields("note", "embedding", width=2)
FOUND = EmbeddingObservations(np.array([1, 3]), np.array([[1, 2], [3, 4]], np.float32))


def test_flat_columns_are_the_components() -> None:
    ((block, names),) = EMBEDDING.flatten(FIELDS, arrays_of(FOUND), np.array([1, -1, 0]))
    assert names == ["note.0", "note.1"]
    np.testing.assert_array_equal(block, [[3, 4], [np.nan, np.nan], [1, 2]])


def test_a_vector_is_one_feature_one_range_and_no_candidate(scales: tuple[NumericScale, ...]) -> None:
    fields = ModalityFields("note", "embedding", width=2, scales=scales[:2])
    assert EMBEDDING.cells(fields) == (["[vector]"], [])
    ((name, values, judged_by),) = EMBEDDING.ranges(fields, FOUND)
    assert (name, values.tolist(), judged_by) == ("", [[1, 2], [3, 4]], scales[:2])
    assert list(EMBEDDING.candidates(fields, FOUND, np.array([0, 1]))) == []
    assert EMBEDDING.content(fields, arrays_of(FOUND), 2).tolist() == [[1, 2], [3, 4]]
    assert EMBEDDING.rows["vector"].sizes(fields) == (2,)
    assert not EMBEDDING.rows["vector"].may_miss
    assert (EMBEDDING.describe(fields), EMBEDDING.timed) == ("vectors of 2", False)


def test_a_source_is_asked_for_the_columns() -> None:
    needs = ColumnNeeds()
    entry = EmbeddingSpec(name="note", kind="embedding", source="a.csv", id="pid", columns=["e_*", "last"])
    EMBEDDING.needs(needs, entry, None)
    assert [name for name in ("e_1", "last", "f") if needs.wants(name)] == ["e_1", "last"]
