"""Complaints about a spec: the path of the field as a user writes it, and names that are near."""

from __future__ import annotations

from typing import Any

import pytest

from gdsfd.errors import SpecError
from tests.cohort.spec.specs import BASE, EVENTS, made


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"cohort": {**BASE["cohort"], "enviroment": "x"}},
            r"cohort.enviroment: unknown key. Did you mean 'environment'\?",
        ),
        (
            {"modality": [{**BASE["modality"], "colums": ["wbc"]}]},
            r"modality\[0\] \('labs'\).colums: unknown key. Did you mean 'columns'\?",
        ),
        ({"modality": {**BASE["modality"], "bin": 60}}, r"modality\[0\] \('labs'\).bin: unknown key"),
        ({"outcomes": {}}, r"outcomes: unknown key. Did you mean 'outcome'\?"),
        ({"split": {"fraction": [1, 0, 0]}}, r"split.fraction: unknown key. Did you mean 'fractions'\?"),
        (
            {"modality": {**BASE["modality"], "kind": "tabel"}},
            r"kind: expected one of .*'table'\], got 'tabel'. Did you mean 'table'\?",
        ),
        (
            {"modality": {"kind": "table", "source": "a.csv", "id": "stay"}},
            r"modality\[0\].name: is required but missing",
        ),
        ({"modality": []}, "modality: .*at least 1"),
    ],
)
def test_unknown_keys_kinds_and_missing_ones(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        made(**fields)


def test_an_unknown_key_of_one_of_many_entries_names_that_entry() -> None:
    entries = [{**BASE["modality"], "name": "a"}, {**EVENTS, "name": "b", "min_cuont": 3}]
    with pytest.raises(SpecError, match=r"^modality\[1\] \('b'\)\.min_cuont: unknown key\. Did you mean 'min_count'"):
        made(modality=entries)


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"cohort": 3}, "cohort"), ({"outcome": "x"}, r"outcome\[0\]"), ({"modality": 5}, r"modality\[0\]"),
        ({"split": [1]}, "split"), ({"cohort": {**BASE["cohort"], "id": 1}}, "cohort.id"),
        ({"cohort": {**BASE["cohort"], "derive": {"a": 1}}}, "cohort.derive.a"),
        ({"cohort": {**BASE["cohort"], "groups": [1]}}, r"cohort.groups\[0\]"),
        ({"modality": {**EVENTS, "window": [0]}}, r"modality\[0\] \('labs'\).window\[1\]"),
        ({"modality": {**EVENTS, "time": 5}}, r"modality\[0\] \('labs'\).time"),
        ({"modality": [{**EVENTS, "name": f"m{k}"} for k in range(10_001)]}, "modality"),
        ({"modality": {**EVENTS, "name": "x" * 201}}, r"modality\[0\] .*name"),
    ],
)  # fmt: skip
def test_a_wrong_type_is_told_with_the_path_of_the_field(fields: dict[str, Any], path: str) -> None:
    with pytest.raises(SpecError, match=rf"^{path}: ") as caught:
        made(**fields)
    assert len(str(caught.value)) < 600


def test_several_mistakes_are_told_at_once() -> None:
    with pytest.raises(SpecError, match=r"cohort.x: unknown key.*; split.y: unknown key"):
        made(cohort={**BASE["cohort"], "x": 1}, split={"y": 2})
