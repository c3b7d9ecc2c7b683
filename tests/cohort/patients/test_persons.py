"""Persons that are not known are not one person."""

from __future__ import annotations

import pytest

from gdsfd.cohort.build import build_cohort
from gdsfd.cohort.patients.persons import check_persons
from gdsfd.errors import InputError
from tests.cohort.small_exports import patients, spec


@pytest.mark.parametrize("word", ["NA", "unknown", ".", "NULL"])
def test_a_word_for_unknown_is_no_person(word: str) -> None:
    table = patients().assign(person=[word] * 15 + [f"p{k}" for k in range(25)])
    with pytest.raises(
        InputError, match=r"15 patients have .* in column 'person' .*one person.*nullif\(person, "
    ) as told:
        build_cohort(spec(cohort={"source": table, "subject": "person"}))
    assert repr(word) in str(told.value)
    blank = patients().assign(person=[None] * 15 + [f"p{k}" for k in range(25)])
    assert len(set(build_cohort(spec(cohort={"source": blank, "subject": "person"})).subject)) == 40


def test_a_number_that_many_patients_have_is_doubted() -> None:
    table = patients().assign(person=[0] * 20 + list(range(1, 21)))
    found = build_cohort(spec(cohort={"source": table, "subject": "person"})).receipt.findings
    assert any("one person, '0', has 20 of 40 patients, and nobody else more than 1" in one.text for one in found)
    assert check_persons(["7"] * 9 + ["8"], "person", "stays") == []
    assert check_persons(["7"] * 19 + ["8"] * 12, "person", "stays") == []
    assert "'4711'" not in check_persons(["4711"] * 40, "person", "stays")[0].text
    assert "'4711'" in check_persons(["4711"] * 40, "person", "stays", show_ids=True)[0].text


def test_a_column_of_sites_is_no_column_of_persons() -> None:
    found = check_persons(["north", "south"] * 30, "site", "stays")
    assert [one.text[:63] for one in found] == ["60 patients are 2 persons, 30 each: is 'site' a column of perso"]
    assert check_persons([f"p{k % 10}" for k in range(200)], "person", "stays") == []
