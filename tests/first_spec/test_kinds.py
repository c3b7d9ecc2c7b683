"""Kinds of tables."""

from __future__ import annotations

import numpy as np
import pytest

from gdsfd.first_spec.keys import Link
from gdsfd.first_spec.kinds import guess_kind, is_hierarchy
from tests.first_spec.tables import facts_of, table_of

ROWS = 400
RNG = np.random.default_rng(0)
IDS = RNG.integers(0, 40, ROWS)
ITEM = RNG.choice(["na", "k", "ph"], ROWS)
VALUE = RNG.normal(5, 1, ROWS).round(2)
MINUTE = RNG.integers(0, 1440, ROWS)
MANY, ONE = Link("stay", 20, 40), Link("stay", 1, 40)


def kind(link=MANY, name="t", nested=(), **columns):
    first = {} if "stay" in columns else {"stay": IDS}
    return guess_kind(table_of(name, nested, **first, **columns), link)


@pytest.mark.parametrize(
    ("item", "value"),
    [("labname", "labresult"), ("LBTESTCD", "LBSTRESN"), ("Parameter", "Value"), ("Analyt", "Messwert")],
)
def test_an_item_and_a_value(item, value):
    found = kind(**{item: ITEM, value: VALUE, "unit": ["mmol/l"] * ROWS, "minute": MINUTE})
    assert found.kind == "events"
    assert (found.fields["item"], found.fields["value"]) == (item, value)
    assert "invalid" not in found.fields


def test_an_item_that_only_its_values_give_away():
    high = np.where(ITEM == "na", 140, np.where(ITEM == "k", 4, 7)) + VALUE / 10
    shift = RNG.choice(["early", "late"], ROWS)
    found = kind(shift=shift, what_it_was=ITEM, MEAS_VALUE=high, minute=MINUTE)
    assert (found.kind, found.fields["item"], found.fields["value"]) == ("events", "what_it_was", "MEAS_VALUE")


def test_text_among_the_values_counts_as_missing():
    mixed = ["see note" if k % 5 == 0 else str(value) for k, value in enumerate(VALUE)]
    assert kind(item=ITEM, value=mixed, minute=MINUTE).fields["invalid"] == "missing"
    commas = [str(value).replace(".", ",") for value in VALUE]
    found = kind(item=ITEM, value=commas, minute=MINUTE)
    assert "invalid" not in found.fields
    assert found.derive == {"value": "TRY_CAST(replace(value, ',', '.') AS DOUBLE)"}


def test_doses_are_no_measurements():
    found = kind(drugname=ITEM, amount=VALUE, minute=MINUTE)
    assert (found.kind, found.fields["code"]) == ("codes", "drugname")


def test_a_monitor_has_a_column_per_item():
    found = kind(minute=MINUTE, hr=VALUE, sbp=VALUE + 1, map=VALUE + 2, row_id=range(ROWS))
    assert (found.kind, found.fields["values"]) == ("events", ["hr", "sbp", "map"])


@pytest.mark.parametrize(
    ("columns", "code"),
    [
        ({"diagnosisstring": ITEM, "icd9code": ITEM, "diagnosispriority": ITEM}, "diagnosisstring"),
        ({"AETERM": ITEM, "AESEV": ITEM, "AESTDY": MINUTE}, "AETERM"),
        ({"specialty": ITEM, "providertype": ITEM}, "specialty"),
        ({"curr_service": ITEM, "prev_service": ITEM}, "curr_service"),
        ({"condition_concept_id": RNG.choice([312327, 201826], ROWS)}, "condition_concept_id"),
        ({"ICD": ITEM, "Diagnoseart": ITEM}, "ICD"),
    ],
)
def test_codes(columns, code):
    found = kind(**columns)
    assert (found.kind, found.fields["code"]) == ("codes", code)


def test_a_version_belongs_to_its_code():
    found = kind(icd_code=ITEM, icd_version=RNG.choice([9, 10], ROWS))
    assert found.fields["code"] == "icd"
    assert found.derive == {"icd": "CAST(icd_version AS VARCHAR) || ':' || icd_code"}


def test_codes_that_are_a_way_down():
    assert is_hierarchy(facts_of("path", ["heart|attack", "lung", "heart|valve|mitral"]))
    assert not is_hierarchy(facts_of("path", ["a", "b|c", "d"]))


def test_one_row_per_patient_is_a_table_or_a_vector():
    people = {"stay": range(40), "sex": ["f", "m"] * 20, "age": range(40)}
    assert kind(ONE, **people).kind == "table"
    vector = {"stay": range(40)} | {f"e_{k}": RNG.normal(size=40) for k in range(16)}
    found = kind(ONE, **vector)
    assert (found.kind, found.fields["columns"]) == ("embedding", "e_*")
    assert kind(ONE, nested=("vector",), stay=range(40)).fields["columns"] == "vector"
    days = {"stay": range(40)} | {f"pain_day{k}": RNG.integers(0, 9, 40) for k in range(10)}
    assert kind(ONE, **days).kind == "table"
    gaps = {"stay": range(40)} | {f"e_{k}": [None, *RNG.normal(size=39)] for k in range(16)}
    assert kind(ONE, **gaps).kind == "table"


def test_a_table_without_codes_and_numbers_has_no_kind():
    found = kind(active=RNG.choice(["True", "False"], ROWS), minute=MINUTE)
    assert found.kind is None
    assert "no column holds codes" in found.notes[0]
