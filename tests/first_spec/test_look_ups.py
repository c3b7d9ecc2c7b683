"""Tables whose rows are put beside the cohort's."""

from __future__ import annotations

from gdsfd.first_spec.keys import find_keys
from gdsfd.first_spec.layouts import Layout
from gdsfd.first_spec.look_ups import find_look_ups
from tests.first_spec.tables import table_of

STAYS = table_of(
    "stays",
    stay=range(1000, 1030),
    person=[f"p{k // 2}" for k in range(30)],
    hospital=[k % 3 for k in range(30)],
    died=[k % 2 for k in range(30)],
)
HOSPITALS = table_of("hospitals", hospital=[0, 1, 2, 7], region=["n", "s", "s", "w"], deaths_per_year=[4, 5, 6, 6])
PEOPLE = table_of(
    "people", person=[f"p{k}" for k in range(15)], sex=["f", "m", "m"] * 5, dod=[None] * 14 + ["2150-01-01"]
)
LABS = table_of("labs", stay=[1000, 1001], person=["p0", "p1"], value=[1, 2])


def test_hospitals_and_people_are_looked_up_without_what_leaks():
    tables = [STAYS, HOSPITALS, PEOPLE, LABS]
    found = find_look_ups(tables, find_keys(tables, STAYS), STAYS, "died", Layout("", ()))
    assert {one.table.name: (one.on, one.columns) for one in found} == {
        "hospitals": ("hospital", ("region",)),
        "people": ("person", ("sex",)),
    }
    assert set(found[0].leaves) == {"deaths_per_year"}
    assert set(found[1].leaves) == {"dod"}


def test_an_outcome_in_another_table_is_looked_up_although_it_leaks():
    deaths = table_of("death", person=["p3", "p4", "p5"], death_date=["2150-01-01"] * 3)
    tables = [STAYS, deaths]
    (found,) = find_look_ups(tables, find_keys(tables, STAYS), deaths, "death_date", Layout("", ()))
    assert (found.on, found.columns) == ("person", ("death_date",))


def test_a_table_that_has_few_of_the_keys_is_none():
    other = table_of("other", hospital=[7, 8, 9], colour=["a", "b", "b"])
    assert find_look_ups([STAYS, other], find_keys([STAYS], STAYS), STAYS, "died", Layout("", ())) == []
