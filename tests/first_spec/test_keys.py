"""Ids, persons, and how tables belong to patients."""

from __future__ import annotations

import pytest

from gdsfd.errors import InputError
from gdsfd.first_spec.keys import find_keys, link_of
from tests.first_spec.tables import table_of

STAYS = table_of(
    "stays",
    person=[f"p{k // 2}" for k in range(40)],
    stay=[f"s{k:03d}" for k in range(40)],
    weight=[50 + k / 7 for k in range(40)],
    admitted=[f"2150-01-01 {k % 24:02d}:{k:02d}" for k in range(40)],
    hospital=[k % 3 for k in range(40)],
)


def test_the_id_differs_in_every_row_and_other_tables_have_it():
    labs = table_of("labs", stay=["s001", "s001", "s002"], value=[1, 2, 3])
    keys = find_keys([STAYS, labs], STAYS)
    assert (keys.id, keys.subject) == ("stay", "person")
    assert "40 rows" in keys.why_id
    assert "20 different" in keys.why_subject
    assert link_of(labs, keys).most == 2


def test_numbers_and_times_are_no_ids():
    bare = table_of("bare", weight=[1.5, 2.5, 3.25], seen=["2150-01-01", "2150-01-02", "2150-01-03"])
    with pytest.raises(InputError, match="no column, and no two, differ in every row"):
        find_keys([bare], bare)


def test_the_tables_own_key_goes_before_the_persons():
    visits = table_of("visit_occurrence", person_id=range(30), visit_occurrence_id=range(100, 130))
    others = [table_of(f"t{k}", person_id=[1, 2], visit_occurrence_id=[100, 101]) for k in range(4)]
    assert find_keys([visits, *others], visits).id == "visit_occurrence_id"


def test_two_columns_together():
    visits = table_of("visits", patient_id=[1, 1, 2, 2], visit_no=[1, 2, 1, 2], score=[3, 3, 4, 4])
    keys = find_keys([visits], visits)
    assert keys.parts == ("patient_id", "visit_no")
    other = table_of("vitals", patient_id=[1, 1, 2], visit_no=[1, 1, 2], pulse=[60, 61, 62])
    assert link_of(other, keys).most == 2
    assert link_of(table_of("genes", patient_id=[1, 2], snp=[0, 1]), keys) is None


def test_ids_under_another_name():
    keys = find_keys([STAYS], STAYS, "stay")
    notes = table_of("notes", encounter=[f"s{k:03d}" for k in range(30)], text=["x"] * 30)
    assert link_of(notes, keys).column == "encounter"
    assert link_of(table_of("staff", badge=[f"b{k:03d}" for k in range(30)]), keys) is None


def test_plain_small_numbers_are_ids_only_where_the_names_agree():
    cohort = table_of("patients", patient_id=range(1, 60), sex=["m"] * 59)
    keys = find_keys([cohort], cohort)
    bystander = table_of("rooms", room=range(1, 40), beds=range(2, 41))
    assert link_of(bystander, keys) is None
    assert link_of(table_of("scans", patient=range(1, 40), size=range(39)), keys).column == "patient"


def test_a_person_is_told_by_sex_and_birth_that_agree():
    who = [k // 2 for k in range(60)]
    columns = {"stay": range(100, 160), "ref": who, "sex": ["fm"[k % 2] for k in who], "birth": [1900 + k for k in who]}
    table = table_of("stays", **columns, other=[(k * 7) % 30 for k in range(60)])
    assert find_keys([table], table).subject == "ref"


def test_a_number_of_rows_gives_way_to_an_id():
    rows = table_of(
        "main", column0=range(1, 40), **{"Patient ID": [f"{k:05d}" for k in range(39)]}, died=[0, 1, 0] * 13
    )
    assert find_keys([rows], rows).id == "Patient ID"
    bare = table_of("main", sno=range(1, 40), died=[0, 1, 0] * 13)
    assert find_keys([bare], bare).id == "sno"


def test_nobody_is_a_person_beside_the_id():
    single = table_of("single", id=range(20), sodium=[140 + k % 5 for k in range(20)])
    keys = find_keys([single], single)
    assert keys.subject is None
    assert "train and in test" in keys.why_subject
