"""Putting guesses together."""

from __future__ import annotations

from pathlib import Path

import pytest

from gdsfd.errors import InputError
from gdsfd.first_spec.proposal import Request
from gdsfd.first_spec.propose import propose
from tests.first_spec.tables import table_of

ROWS = 60
STAYS = table_of("stays", stay=range(1000, 1000 + ROWS), person=[k // 2 for k in range(ROWS)], died=[0, 0, 1] * 20)
DEATHS = table_of("death", person=[1, 2, 5], death_date=["2150-01-01"] * 3)
PEOPLE = table_of("people", person=range(30), sex=["f", "m"] * 15, shoe_size=range(30, 60))
LETTERS = table_of("letters", person=[1, 1, 2], text=["a", "b", "c"])
STAFF = table_of("staff", badge=["x", "y"], post=["a", "b"])
TABLES = [STAYS, DEATHS, PEOPLE, LETTERS, STAFF]


def test_what_is_not_taken_has_its_reason():
    made = propose(TABLES, Request("died"), Path("/exports"))
    assert "no stay" in made.unused["letters"]
    assert "no column holds ids" in made.unused["staff"]
    assert "put beside the cohort's rows by person" in made.unused["people"]
    assert [entry.fields["on"] for entry in made.joins] == ["person"]


def test_an_outcome_of_another_table():
    made = propose(TABLES, Request("death_date", cohort="Stays"), Path("/exports"))
    assert made.cohort.table == "stays"
    assert made.outcome.fields["column"] == "death_date_known"
    assert "CASE WHEN death_date IS NULL" in made.cohort.derive["death_date_known"]
    assert {tuple(entry.fields["columns"]) for entry in made.joins} == {("death_date",), ("sex",)} or len(
        made.joins
    ) == 2
    assert "holds the outcome" in made.unused["death"]


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (Request("died", cohort="stay"), "no such table.*'stays'"),
        (Request("died", id="stayy"), "--id stayy"),
        (Request("sex"), "which of its values is positive"),
        (Request("diedd"), "Did you mean 'died'"),
    ],
)
def test_what_the_user_says_must_be_there(request_, words):
    with pytest.raises(InputError, match=words):
        propose(TABLES, request_, Path("/exports"))


def test_the_user_may_name_the_id():
    made = propose(
        [table_of("t", a=range(9), b=range(100, 109), died=[0, 1, 0] * 3)], Request("died", id="B"), Path("/")
    )
    assert made.cohort.fields["id"] == "b"
    assert made.cohort.notes["id"] == ["b: as told."]


def test_names_of_modalities_differ():
    tables = [STAYS, table_of("stays", stay=[1000, 1001, 1002] * 9, item=["a", "b", "c"] * 9, value=range(27))]
    made = propose(tables, Request("stays.died"), Path("/exports"))
    names = [entry.name for entry in made.modalities]
    assert len(names) == len(set(names))
