"""A model and a graph that speak of other outcomes, modalities or columns are told what differs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gdsfd.cohort.schema import CohortSchema
from gdsfd.errors import SchemaError
from gdsfd.training.schema_check import check_outcomes, check_schema
from tests.cohort_factory import make_cohort

SCHEMA = make_cohort(30).schema


def with_part(name: str, **parts: Any) -> CohortSchema:
    modalities = tuple(replace(each, **parts) if each.name == name else each for each in SCHEMA.modalities)
    return replace(SCHEMA, modalities=modalities)


def test_the_same_fits() -> None:
    check_outcomes(SCHEMA, make_cohort(30).schema)
    check_schema(SCHEMA, make_cohort(30).schema)


@pytest.mark.parametrize(
    ("name", "parts", "what"),
    [
        ("chart", {"numeric": ("age", "pressure", "glucose")}, "numeric"),
        ("chart", {"levels": (("another",), ("level",))}, "levels"),
        ("labs", {"steps": 99}, "steps"),
        ("diagnosis", {"codes": ("Z00",), "code_counts": (9,)}, "codes"),
    ],
)
def test_what_differs_first_is_named(name: str, parts: dict[str, Any], what: str) -> None:
    with pytest.raises(SchemaError, match=rf"modality '{name}': its {what} differ .*--like GRAPH"):
        check_schema(SCHEMA, with_part(name, **parts))


def test_counts_of_training_patients_may_differ() -> None:
    """They say how frequent a code was, not what it is."""
    codes = next(each for each in SCHEMA.modalities if each.name == "diagnosis")
    check_schema(SCHEMA, with_part("diagnosis", code_counts=tuple(each + 1 for each in codes.code_counts)))


def test_other_modalities() -> None:
    fewer = replace(SCHEMA, modalities=SCHEMA.modalities[1:])
    with pytest.raises(SchemaError, match=r"the model knows the modalities \['chart', .*the graph has \['labs'"):
        check_schema(SCHEMA, fewer)


def test_other_outcomes() -> None:
    other = replace(SCHEMA, outcomes=(replace(SCHEMA.outcomes[0], name="readmission"),))
    with pytest.raises(SchemaError, match=r"the model predicts .*the graph has the outcomes .*'readmission'"):
        check_outcomes(SCHEMA, other)
