"""The blocks of the cohort table."""

from __future__ import annotations

from pathlib import Path

from gdsfd.first_spec.cohort_entries import cohort_entry, join_entry, outcome_entry, split_entry
from gdsfd.first_spec.keys import find_keys
from gdsfd.first_spec.known import Known
from gdsfd.first_spec.layouts import Layout
from gdsfd.first_spec.look_ups import LookUp
from gdsfd.first_spec.outcomes import label_values
from gdsfd.first_spec.proposal import Request
from tests.first_spec.tables import table_of

ROWS = 120


def known(**more) -> Known:
    columns = {
        "stay": range(1000, 1000 + ROWS),
        "subject_id": [k // 2 for k in range(ROWS)],
        "hospital": ["a", "b", "c"] * 40,
        "sex": ["f", "m"] * 60,
        "admitted": [f"{k % 28 + 1:02d}.01.2020 10:00" for k in range(ROWS)],
        "died": [0, 0, 1] * 40,
        **more,
    }
    table = table_of("stays", **columns)
    outcome = label_values(table, "died")
    return Known(Request("died"), Layout("", ()), Path("/exports"), [table], find_keys([table], table), outcome)


def test_every_role_has_its_reason():
    facts = known()
    facts.origin = "admitted"
    entry = cohort_entry(facts, True)
    assert entry.fields["source"] == "stays.csv"
    assert {name: entry.fields[name] for name in ("id", "subject", "environment", "groups")} == {
        "id": "stay",
        "subject": "subject_id",
        "environment": "hospital",
        "groups": ["sex"],
    }
    assert set(entry.notes) >= {"source", "id", "subject", "environment", "groups"}
    assert entry.derive == {"admitted": "strptime(admitted__text, '%d.%m.%Y %H:%M')"}
    assert facts.roles["hospital"].startswith("the environment")
    assert facts.groups == ("sex",)


def test_without_a_beginning_it_says_so():
    entry = cohort_entry(known(), True)
    assert "Name one under origin" in entry.above[0]
    assert cohort_entry(known(), False).above == []


def test_the_outcome_and_a_split_that_is_there():
    entry = outcome_entry(known())
    assert entry.fields == {"name": "died", "column": "died", "positive": 1, "negative": 0}
    assert split_entry(known()).fields["kind"] == "subject"
    facts = known(fold=["train", "train", "test"] * 40)
    assert split_entry(facts).fields == {"kind": "column", "column": "fold"}
    assert facts.roles["fold"] == "the split"
    assert split_entry(known(fold=["train", "test_later", "test"] * 40)).fields["kind"] == "column"
    assert split_entry(known(machine=["train", "other", "test"] * 40)).fields["kind"] == "subject"


def test_a_look_up_says_what_it_leaves():
    table = table_of("people", subject_id=range(9), sex=["f"] * 9, dod=[None] * 9)
    entry = join_entry(known(), LookUp(table, "subject_id", ("sex",), {"dod": "says when somebody died"}))
    assert entry.fields == {"source": "people.csv", "on": "subject_id", "columns": ["sex"]}
    assert "dod (says when somebody died)" in entry.above[1]
