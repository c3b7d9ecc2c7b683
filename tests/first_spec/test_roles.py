"""Environment and groups."""

from __future__ import annotations

from gdsfd.first_spec.roles import guess_environment, guess_groups
from tests.first_spec.tables import facts_of


def test_the_place_with_enough_patients_each():
    fine = facts_of("hospitalid", [k % 300 for k in range(900)])
    region = facts_of("region", [("north", "south", "west")[k % 3] for k in range(900)])
    unit = facts_of("unittype", [("a", "b")[k % 2] for k in range(900)])
    sodium = facts_of("sodium", [k % 4 for k in range(900)])
    found = guess_environment([fine, region, unit, sodium], [])
    assert found.columns == ("region",)
    assert "'unittype'" in found.why
    assert "'hospitalid' has too many" in found.why
    assert guess_environment([unit, region], [], ("unittype",)).columns == ("unittype",)
    assert guess_environment([region], ["region"]).columns == ()
    assert "must not lean on" in guess_environment([sodium], []).why


def test_a_hospital_goes_before_its_region_and_the_source_of_admission_after_both():
    columns = [
        facts_of("hospitaladmitsource", [k % 5 for k in range(600)]),
        facts_of("region", [k % 3 for k in range(600)]),
        facts_of("hospital", [k % 9 for k in range(600)]),
    ]
    assert guess_environment(columns, []).columns == ("hospital",)


def test_an_era_where_there_is_no_place():
    era = facts_of("anchor_year_group", ["2008 - 2010", "2011 - 2013"] * 50)
    assert guess_environment([era], []).columns == ("anchor_year_group",)


def test_groups():
    sex = facts_of("sex", ["f", "m"] * 30)
    race = facts_of("race", ["a", "b", None] * 20)
    name = facts_of("ethnicity_text_of_the_form", [f"x{k}" for k in range(100)] * 4)
    one = facts_of("gender", ["f"] * 60)
    assert guess_groups([sex, race, name, one], []).columns == ("sex", "race")
    assert guess_groups([sex, race], ["sex"]).columns == ("race",)
    assert guess_groups([sex, race], [], ("RACE",)).columns == ("race",)
    assert guess_groups([one], []).columns == ()
