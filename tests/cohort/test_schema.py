"""A fitted schema comes back from JSON, and says what is wrong with one that cannot."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from gdsfd.cohort.schema import CohortSchema, ModalityFields, OutcomeFields
from gdsfd.errors import InputError, SchemaError
from tests.cohort_factory import make_cohort
from tests.plugin_parts import declared


def through_json(schema: CohortSchema) -> Any:
    return json.loads(json.dumps(schema.to_dict()))


@pytest.mark.parametrize("outcomes", ["binary", "multiclass", "multilabel"])
def test_a_schema_survives_json(outcomes: str) -> None:
    schema = make_cohort(40, outcomes=outcomes).schema
    stored = through_json(schema)
    assert CohortSchema.from_dict(stored) == schema
    assert set(stored) == {"modalities", "outcomes", "groups", "environment"}


def test_keys_of_earlier_and_later_versions_are_passed_over() -> None:
    schema = make_cohort(40).schema
    assert CohortSchema.from_dict({**through_json(schema), "extra": {}, "not yet known": [1]}) == schema


def test_counts_of_levels_stand_in_it_where_they_are_known() -> None:
    table = ModalityFields("labs", "table", categorical=("unit",), levels=(("a", "b"),), level_counts=((9, 4),))
    outcome = (OutcomeFields("d", "d", ("no", "yes")),)
    schema = CohortSchema((table,), outcome)
    assert CohortSchema.from_dict(through_json(schema)) == schema
    earlier = CohortSchema((replace(table, level_counts=()),), outcome)
    assert "level_counts" not in through_json(earlier)["modalities"][0]


def test_a_missing_plug_in_is_named() -> None:
    with declared("waveform_kind"):
        schema = CohortSchema((ModalityFields("ecg", "waveform", width=8),), (OutcomeFields("d", "d", ("no", "yes")),))
        stored = through_json(schema)
        assert CohortSchema.from_dict(stored) == schema
    with pytest.raises(InputError, match=r"needs the modality kind 'waveform'.*import tests\.plugin_parts"):
        CohortSchema.from_dict(stored)
    del stored["plugins"]  # as a file has it that was written before schemas named them
    with pytest.raises(SchemaError, match=r"modality 'ecg': .*got 'waveform'; one that a plug-in declares .*--plugin"):
        CohortSchema.from_dict(stored)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"outcomes": None}, "schema.outcomes"),
        ({"modalities": [{"name": "labs"}]}, r"schema.modalities.0.kind"),
        ({"modalities": [{"name": "labs", "kind": "table", "categorical": ["unit"]}]}, "one list of levels .* got 0"),
        (
            {"modalities": [dict(name="labs", kind="table", categorical=["u"], levels=[["a"]], level_counts=[[]])]},
            "modality 'labs': expected one count per level",
        ),
        ({"modalities": [{"name": "labs", "kind": "table", "width": "wide"}]}, r"schema.modalities.0.width"),
        ({"plugins": 5}, "schema"),
        ({"plugins": [{"part": 1}]}, "schema.0.part"),
    ],
)  # fmt: skip
def test_what_is_no_schema_is_refused_with_its_place(change: dict[str, Any], message: str) -> None:
    with pytest.raises(SchemaError, match=message):
        CohortSchema.from_dict({**through_json(make_cohort(10).schema), **change})


@pytest.mark.parametrize("stored", [None, [], "schema", {}])
def test_another_thing_is_no_schema(stored: Any) -> None:
    with pytest.raises(SchemaError, match="schema"):
        CohortSchema.from_dict(stored)


def test_the_width_of_a_head() -> None:
    binary, several = OutcomeFields("d", "d", ("no", "yes")), OutcomeFields("s", "s", ("a", "b", "c"), multiclass=True)
    assert (CohortSchema((), (several,)).multiclass, CohortSchema((), (several,)).num_outputs) == (True, 3)
    assert (CohortSchema((), (binary, binary)).multiclass, CohortSchema((), (binary, binary)).num_outputs) == (False, 2)
    # one outcome of two named classes is multi-class when the spec lists classes: two columns, not one
    named = OutcomeFields("d", "d", ("no", "yes"), multiclass=True)
    assert (CohortSchema((), (binary,)).num_outputs, CohortSchema((), (named,)).num_outputs) == (1, 2)
