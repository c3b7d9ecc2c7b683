"""Entries of modalities: which fields go together."""

from __future__ import annotations

from typing import Any

import pytest

from gdsfd.cohort.spec import EventsSpec, TableSpec
from gdsfd.errors import SpecError
from tests.cohort.spec.specs import BASE, CODES, EVENTS, NO_NUMBERS, bounded, made


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"name": "a.b"}, "expected a name without"),
        ({"source": " "}, "expected a path, a glob, a DataFrame or an Ibis table"),
        ({"window": [0, 10]}, "'window' and 'origin' need 'time'"),
        ({"time": "t", "window": [10, 10]}, "window: expected start < end"),
        ({"kind": "events"}, "expected either 'item'"),
        ({"kind": "events", "values": ["a"], "value": "b"}, "'value' goes with 'item'"),
        ({"kind": "events", "values": ["a"], "bin": 30}, "'bin' goes with 'time'"),
        ({"kind": "events", "item": "i", "missing": [-1]}, "'missing' is about cells of 'value', which is not given"),
        ({"kind": "events", "item": "i", "invalid": "missing"}, "'invalid' is about cells of 'value'"),
        ({"numeric": ["a", "b"], "categorical": "b"}, "'b' stand under 'numeric' and under 'categorical'; keep one"),
        ({"kind": "codes", "code": "c", "invalid": "missing"}, "'invalid' is about text among numbers"),
        ({"kind": "embedding", "columns": "e_*", "invalid": "missing"}, "which kind = 'embedding' does not look for"),
        ({"kind": "events", "values": ["a"], "bin": 0}, "bin: expected a number from 0.001"),
    ],
)
def test_fields_that_do_not_go_together(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        made(modality={**BASE["modality"], **fields})


def test_a_value_without_an_item_is_one_wide_column() -> None:
    entry = EventsSpec(name="v", source="v.csv", id="stay", value="heart rate")
    assert (entry.values, entry.value) == (["heart rate"], None)


def test_single_names_are_lists_of_one() -> None:
    entry = TableSpec(name="t", source="t.csv", id="stay", numeric="a", categorical="b", exclude="c", missing=-1)
    assert (entry.numeric, entry.categorical, entry.exclude, entry.missing) == (["a"], ["b"], ["c"], [-1])
    assert entry.columns is None


@pytest.mark.parametrize("value", [value for value in NO_NUMBERS if value is not None] + [1e8], ids=bounded)
def test_windows_are_bounded(value: Any) -> None:
    for window in ([0, value], [value, 10]):
        with pytest.raises(
            SpecError, match=r"window\[[01]\]: expected a number from -52,596,000 to 52,596,000 minutes"
        ):
            made(modality={**EVENTS, "window": window})


def test_a_window_has_a_bounded_number_of_steps() -> None:
    with pytest.raises(SpecError, match=r"bin: expected at most 100,000 steps in a window, got 0.01 minutes per step"):
        made(modality={**EVENTS, "window": [0, 1440], "bin": 0.01})
    made(modality={**EVENTS, "window": [0, 1000], "bin": 0.01})


def test_elapsed_stands_in_place_of_a_value() -> None:
    age = {**EVENTS, "origin": "admitted", "elapsed": "years"}
    assert made(modality=age).modality[0].elapsed == "years"
    wide = {name: value for name, value in age.items() if name != "item"}
    for wrong in ({**age, "value": "v"}, {**EVENTS, "elapsed": "years"}, {**wide, "values": ["v"]}):
        with pytest.raises(SpecError, match="'elapsed' goes with 'item', 'time' and 'origin'"):
            made(modality=wrong)


def test_rows_of_persons_are_taken_in_the_long_form_and_of_codes() -> None:
    assert made(modality={**EVENTS, "match": "subject"}).modality[0].match == "subject"
    assert made(modality={**CODES, "match": "subject"}).modality[0].match == "subject"
    assert "match" not in made(modality=CODES).to_dict()["modality"][0]
    wide = {**BASE["modality"], "kind": "events", "values": ["a"], "match": "subject"}
    with pytest.raises(SpecError, match="match = 'subject' goes with 'item'"):
        made(modality=wide)
    with pytest.raises(SpecError, match="match: unknown key"):
        made(modality={**BASE["modality"], "match": "subject"})
