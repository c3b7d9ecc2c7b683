"""The split: shares, and what each kind needs."""

from __future__ import annotations

from typing import Any

import pytest

from gdsfd.errors import SpecError
from tests.cohort.spec.specs import BASE, NO_NUMBERS, bounded, made


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"fractions": [0.5, 0.1, 0.1]}, "three shares .* that add up to 1"),
        ({"kind": "time"}, "kind 'time' needs 'column'"),
        ({"kind": "environment"}, "needs 'holdout'"),
        ({"folds": 5, "fold": 5}, r"fold: expected 0 .. 4, got 5"),
        ({"kind": "random"}, "split.kind: expected one of .*'random'"),
        ({"column": "set"}, "kind 'subject' would not look at column 'set'; write kind = \"column\""),
        ({"holdout": ["South"]}, "kind 'subject' would not look at holdout .*South.*write kind = \"environment\""),
        ({"kind": "column", "column": "set", "holdout": "South"}, "kind 'column' would not look at holdout"),
        ({"kind": "environment", "holdout": "South", "column": "set"}, "kind 'environment' would not look at column"),
        ({"fold": 3}, "fold: got 3 without 'folds'"),
    ],
)
def test_wrong_splits(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        made(split=fields)


def test_shares_may_be_zero_but_those_of_train() -> None:
    assert made(split={"fractions": [1, 0, 0]}).split.fractions == (1.0, 0.0, 0.0)
    with pytest.raises(SpecError, match="three shares"):
        made(split={"fractions": [0, 0.5, 0.5]})


def test_numbers_of_hospitals_may_be_held_out_as_numbers() -> None:
    cohort = {**BASE["cohort"], "environment": "hospital"}
    split = {"kind": "environment", "holdout": [73, "420"]}
    assert made(cohort=cohort, split=split).split.holdout == ["73", "420"]


@pytest.mark.parametrize("value", [*NO_NUMBERS, -0.1, 1.1], ids=bounded)
def test_fractions_are_bounded(value: Any) -> None:
    for place in range(3):
        fractions = [0.7, 0.1, 0.2]
        fractions[place] = value
        with pytest.raises(SpecError, match=rf"split.fractions\[{place}\]: expected a number from 0 to 1"):
            made(split={"fractions": fractions})
