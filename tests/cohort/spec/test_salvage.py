"""What is left of a spec once its faults are taken out."""

from __future__ import annotations

import pytest

from gdsfd.cohort.spec.salvage import salvaged

ENTRY = {"name": "labs", "kind": "table", "source": "labs.csv", "id": "stay"}


def fields(**changed):
    return {
        "cohort": {"source": "stays.csv", "id": "stay"},
        "outcome": {"name": "death", "column": "died", "positive": 1},
        "modality": ENTRY,
        **changed,
    }


def test_a_right_spec_stays_as_it_is():
    given = fields()
    spec, told = salvaged(given)
    assert told == []
    assert [modality.name for modality in spec.modality] == ["labs"]
    assert given == fields()


@pytest.mark.parametrize(
    ("changed", "words", "left"),
    [
        ({"cohort": {"source": "s.csv", "id": "stay", "sbject": "p"}}, ["cohort.sbject"], ["labs"]),
        ({"modality": [ENTRY, {**ENTRY, "name": "b", "kind": "tabel"}]}, ["modality[1] ('b').kind"], ["labs"]),
        ({"modality": [{**ENTRY, "windw": 3}]}, ["modality[0] ('labs').windw"], ["labs"]),
        ({"modality": [{"name": "x", "kind": "codes", "source": "a.csv"}, ENTRY]}, [".id", ".code"], ["labs"]),
        ({"modality": [ENTRY, {**ENTRY, "name": "c", "window": [1, 0]}]}, ["'window' and 'origin' need"], ["labs"]),
        ({"splits": {}}, ["splits: unknown key"], ["labs"]),
        ({"split": {"kind": "columm"}}, ["split.kind"], ["labs"]),
        ({"split": {"fractions": [0.5, 0.1, 0.1]}}, ["fractions"], ["labs"]),
    ],
)
def test_a_fault_goes_and_the_rest_stays(changed, words, left):
    spec, told = salvaged(fields(**changed))
    assert [modality.name for modality in spec.modality] == left
    assert len(told) == len(words)
    for word in words:
        assert any(word in text for text in told), told


def test_all_faults_are_told_at_once_and_none_that_only_follows():
    given = fields(
        cohort={"source": "s.csv", "id": "stay", "wher": "x"},
        outcome=[{"name": "a", "column": "a"}, {"name": "b", "column": "b", "positive": 1, "postive": 2}],
        modality=[{**ENTRY, "window": "x"}, {**ENTRY, "name": "b", "id": 3}],
    )
    spec, told = salvaged(given)
    assert len(told) == 5, told
    assert [outcome.name for outcome in spec.outcome] == ["b"]
    assert [modality.name for modality in spec.modality] == ["labs"]


@pytest.mark.parametrize("changed", [{"cohort": {"id": "stay"}}, {"modality": []}, {"cohort": 3}, {"outcome": []}])
def test_where_nothing_sensible_is_left_there_is_no_spec(changed):
    spec, told = salvaged(fields(**changed))
    assert spec is None
    assert told
