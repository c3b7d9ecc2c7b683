from __future__ import annotations

import numpy as np
import pytest

from gdsfd.cohort.cohort import CodeObservations, arrays_of
from gdsfd.cohort.kinds import codes as module
from gdsfd.cohort.kinds.codes import CODES
from gdsfd.cohort.schema import ModalityFields
from gdsfd.cohort.spec import CodesSpec
from gdsfd.cohort.spec.column_needs import ColumnNeeds

#: I10 is code 2, E11 code 3, J45 code 4.
FIELDS = ModalityFields("icd", "codes", codes=("I10", "E11", "J45"), code_counts=(5, 9, 5))
#: Patient 0 has a rare code, I10 and J45; patient 3 a blank one; patient 4 E11.
FOUND = CodeObservations(np.array([0, 3, 4]), np.array([0, 3, 4, 5]), np.array([0, 2, 4, 1, 3], np.int32))


@pytest.mark.parametrize(
    ("most", "columns"), [(500, ["E11", "I10", "J45"]), (2, ["E11", "I10"]), (1, ["E11"])]
)  # of I10 and J45, as frequent, the first in the vocabulary
def test_flat_columns_are_the_most_frequent_codes_and_how_many(
    monkeypatch: pytest.MonkeyPatch, most: int, columns: list[str]
) -> None:
    monkeypatch.setattr(module, "MAX_CODES", most)
    (block, names), (count, last) = CODES.flatten(FIELDS, arrays_of(FOUND), np.array([0, -1, 1, 2]))
    assert (names, last) == ([f"icd={code}" for code in columns], ["icd (codes)"])
    has = [{"I10", "J45"}, set(), set(), {"E11"}]
    np.testing.assert_array_equal(block, [[code in own for code in columns] for own in has])
    np.testing.assert_array_equal(count[:, 0], [3, 0, 0, 1])  # a rare code counts, a blank one does not


def test_content_are_rare_blank_and_frequent_codes(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = np.array([[1, 0, 1, 0, 1], [0, 1, 0, 0, 0], [0, 0, 0, 1, 0]])
    np.testing.assert_array_equal(CODES.content(FIELDS, arrays_of(FOUND), 3), expected)
    monkeypatch.setattr(module, "_CONTENT", 4)
    np.testing.assert_array_equal(CODES.content(FIELDS, arrays_of(FOUND), 3), expected[:, :4])


def test_candidates_speak_of_the_patients_looked_at() -> None:
    number, flags = CODES.candidates(FIELDS, FOUND, np.array([1, -1, 0]))
    assert (number.what, number.patient.tolist()) == ("number of codes", [1, 0])
    assert number.values.tolist() == np.diff(FOUND.ptr)[[0, 2]].tolist()
    pairs = {(flags.what[flag], who) for flag, who in zip(flags.flag.tolist(), flags.patient.tolist(), strict=True)}
    assert pairs == {("any rare code", 1), ("code 'I10'", 1), ("code 'J45'", 1), ("code 'E11'", 0)}


def test_feature_nodes_layout_ranges_and_a_few_words() -> None:
    assert CODES.cells(FIELDS) == (["[count]"], ["[rare]", "[blank]", "I10", "E11", "J45"])
    assert CODES.runs["run_ptr"]["code"].below(FIELDS) == 5
    assert list(CODES.ranges(FIELDS, FOUND)) == []
    assert CODES.describe(FIELDS) == "3 codes"


def test_a_source_is_asked_for_the_code() -> None:
    needs = ColumnNeeds()
    CODES.needs(needs, CodesSpec(name="icd", kind="codes", source="a.csv", id="pid", code="icd9"), None)
    assert needs == ColumnNeeds(names={"icd9"})
