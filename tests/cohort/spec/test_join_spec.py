"""Entries ``join`` of the cohort and of modalities."""

from __future__ import annotations

from typing import Any

import pytest

from gdsfd.cohort.spec import JoinSpec, TableSpec
from gdsfd.errors import SpecError
from tests.cohort.spec.specs import BASE, made

LOOK_UP = {"source": "items.csv", "on": "item", "columns": "meaning"}


def test_one_look_up_is_a_list_of_one() -> None:
    entry = TableSpec(name="t", source="t.csv", id="stay", join=LOOK_UP)
    assert entry.join == [JoinSpec(source="items.csv", on="item", columns=["meaning"])]
    assert TableSpec(name="t", source="t.csv", id="stay").join == []


@pytest.mark.parametrize(
    ("join", "message"),
    [
        ({"source": "items.csv", "on": "item"}, r"join.*columns: is required but missing"),
        ({**LOOK_UP, "onn": "x"}, r"join.*onn: unknown key\. Did you mean 'on'"),
        ({**LOOK_UP, "derive": {"item": "sum(x)"}}, "works over several rows"),
    ],
)
@pytest.mark.parametrize("part", ["cohort", "modality"])
def test_what_is_wrong_with_a_look_up(part: str, join: dict[str, Any], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        made(**{part: {**BASE[part], "join": join}})
