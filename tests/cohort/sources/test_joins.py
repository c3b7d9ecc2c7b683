from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from gdsfd.cohort.build import build_cohort
from gdsfd.cohort.cohort import Cohort
from gdsfd.errors import InputError
from tests.cohort.small_exports import PATIENTS, patients, spec

HOSPITALS = [73, 264] * (PATIENTS // 2)


def built(own: Any, look_up: pd.DataFrame, **fields: Any) -> Cohort:
    join = {"source": look_up, "on": "hospital", "columns": ["region"], **fields}
    cohort = {"source": patients().assign(hospital=own), "join": join, "environment": "region"}
    return build_cohort(spec(cohort=cohort))


def regions(keys: list[Any]) -> pd.DataFrame:
    return pd.DataFrame({"hospital": keys, "region": ["west", "south", "east"][: len(keys)]})


@pytest.mark.parametrize(
    ("left", "right"), [(int, float), (float, int), (float, str), (str, "float32"), ("Int64", float), (str, int)]
)
def test_whole_numbers_match_whatever_their_type(left: Any, right: Any) -> None:
    look_up = regions([73, 264])
    cohort = built(pd.Series(HOSPITALS).astype(left), look_up.astype({"hospital": right}))
    assert cohort.environment == ["west", "south"] * (PATIENTS // 2)
    assert not [note for note in cohort.receipt.cohort.notes if "join" in note]


@pytest.mark.parametrize(
    ("left", "right"), [("73.0", "73"), ("073", "73"), ("73", "0073"), ("A", "a"), ("a\u2011b", "a-b"), ("1e3", "1000")]
)
def test_keys_in_another_spelling_are_refused(left: str, right: str) -> None:
    own = [left, "264"] * (PATIENTS // 2)
    with pytest.raises(InputError, match=rf"cohort, join on 'hospital': .* spelling: '{left}' against '{right}'"):
        built(own, regions([right, "264"]))


def test_the_way_out_is_to_derive_the_key_of_the_look_up() -> None:
    own = ["073", "264"] * (PATIENTS // 2)
    derive = {"hospital": "lpad(CAST(hospital AS VARCHAR), 3, '0')"}
    assert built(own, regions(["73", "264"]), derive=derive).environment == ["west", "south"] * (PATIENTS // 2)
    derive = {"hospital": "lpad(CAST(hospital AS VARCHAR), 3, '0')", "region": "upper(region)"}
    assert built(own, regions(["73", "264"]), derive=derive).environment == ["WEST", "SOUTH"] * (PATIENTS // 2)


def test_a_join_that_matches_nobody_is_refused() -> None:
    with pytest.raises(InputError, match=r"no row of .* finds its key in .*: '264', '73' against '1', '2'"):
        built(HOSPITALS, regions([1, 2]))


def test_rows_without_a_partner_are_told() -> None:
    own = [73] * 35 + [9] * 3 + [None] * 2
    cohort = built(own, regions([73, 264]))
    assert cohort.environment == ["west"] * 35 + ["Unknown"] * 5
    note = "join on 'hospital': 3 of 38 rows have a key that the DataFrame of cohort, join has not ('9'); 'region' are"
    assert [each for each in cohort.receipt.cohort.notes if each.startswith(note)]
    assert not [finding for finding in cohort.receipt.findings if finding.kind == "join"]
    few = built([73] * 15 + [9] * 25, regions([73, 264]))
    assert [finding.value for finding in few.receipt.findings if finding.kind == "join"] == [25 / 40]


def test_rows_stay_in_order_and_columns_keep_their_values() -> None:
    frame = patients().assign(hospital=HOSPITALS, age=np.arange(PATIENTS) + 0.5)
    join = {"source": regions([264, 73]), "on": "hospital", "columns": ["region"]}
    cohort = build_cohort(spec(cohort={"source": frame, "join": join, "groups": ["region", "age", "sex"]}))
    assert cohort.id == frame.pid.tolist()
    assert cohort.groups["age"] == [str(age) for age in frame.age]
    assert cohort.groups["region"] == ["south", "west"] * (PATIENTS // 2)
    assert cohort.groups["sex"] == frame.sex.tolist()


def long_labs() -> pd.DataFrame:
    """Each patient's two results, of item 1 and of item 2."""
    ids = patients().pid.repeat(2).tolist()
    return pd.DataFrame({"pid": ids, "item": [1, 2] * PATIENTS, "value": np.arange(2.0 * PATIENTS)})


def of_items(look_up: pd.DataFrame, **fields: Any) -> Cohort:
    join = {"source": look_up, "on": "item", "columns": ["meaning"]}
    entry = {"name": "labs", "kind": "events", "source": long_labs(), "id": "pid", "value": "value", "join": join}
    return build_cohort(spec(modality={"item": "meaning", "min_count": 1, **entry, **fields}))


def test_a_look_up_beside_the_rows_of_a_modality_says_what_its_items_are() -> None:
    cohort = of_items(pd.DataFrame({"item": [2, 1], "meaning": ["sodium", "glucose"]}))
    assert cohort.schema.modalities[0].items == ("glucose", "sodium")
    assert cohort.receipt.modalities[0].rows_read == 2 * PATIENTS
    plain = build_cohort(
        spec(modality={"name": "labs", "kind": "events", "source": long_labs(), "id": "pid", "item": "item",
                       "value": "value", "min_count": 1})
    )  # fmt: skip
    one, other = cohort.observations["labs"], plain.observations["labs"]
    np.testing.assert_array_equal(one.summary, other.summary)


def test_rows_of_a_modality_are_chosen_by_the_look_up_and_rows_without_a_partner_are_told() -> None:
    cohort = of_items(pd.DataFrame({"item": [1], "meaning": ["glucose"]}), where="meaning = 'glucose'", item="item")
    receipt = cohort.receipt.modalities[0]
    assert (receipt.rows_kept, [(drop.reason, drop.rows) for drop in receipt.drops]) == (
        PATIENTS,
        [("where is not true", PATIENTS)],
    )
    note = f"join on 'item': {PATIENTS} of {2 * PATIENTS} rows have a key that the DataFrame of modality 'labs', join"
    assert [each for each in receipt.notes if each.startswith(note)]


def test_ids_are_not_shown_where_a_modality_is_joined_by_them() -> None:
    own = pd.DataFrame({"pid": patients().pid[:30], "ward": "w"})
    join = {"source": own, "on": "pid", "columns": ["ward"]}
    entry = {"name": "labs", "kind": "codes", "source": long_labs(), "id": "pid", "code": "item", "join": join}
    (note,) = (each for each in build_cohort(spec(modality=entry)).receipt.modalities[0].notes if "join" in each)
    assert note.startswith("join on 'pid': 20 of 80 rows have a key that")
    assert "030" not in note


def test_a_look_up_of_a_modality_that_cannot_be_used_is_named_with_it() -> None:
    with pytest.raises(InputError, match=r"modality 'labs', join on 'item': no row of .* finds its key"):
        of_items(pd.DataFrame({"item": [8, 9], "meaning": ["a", "b"]}))
    with pytest.raises(InputError, match=r"has no column 'item' \(modality 'labs', join\)"):
        of_items(pd.DataFrame({"itm": [1, 2], "meaning": ["a", "b"]}))
