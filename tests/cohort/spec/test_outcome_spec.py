"""The outcome: one way of labelling, and each value with one meaning."""

from __future__ import annotations

from typing import Any

import pytest

from gdsfd.errors import SpecError
from tests.cohort.spec.specs import made


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "expected either 'positive' .* or 'classes'"),
        ({"classes": ["a", "b"], "positive": "a"}, "expected either 'positive'"),
        ({"classes": ["a"]}, "at least two different classes"),
        ({"classes": ["a", "b", "a"]}, "at least two different classes"),
        ({"classes": ["a", "b"], "negative": "c"}, "'negative' goes with 'positive', not with 'classes'"),
    ],
)
def test_one_way_of_labelling(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        made(outcome={"name": "d", "column": "c", **fields})


def test_values_that_differ_may_be_declared_side_by_side() -> None:
    (outcome,) = made(
        outcome={"name": "d", "column": "c", "positive": [1, "yes"], "negative": 0, "missing": -9}
    ).outcome
    assert (outcome.positive, outcome.negative, outcome.missing) == ([1, "yes"], [0], [-9])


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"positive": 1, "negative": ["1.0", 0]}, "positive has 1 and negative has '1.0', which are equal"),
        ({"positive": "a", "missing": "a"}, "positive has 'a' and missing has 'a'"),
        ({"classes": [1, 2, "1.0"]}, r"classes\[0\] has 1 and classes\[2\] has '1.0'"),
        ({"classes": ["a", "b"], "missing": "b"}, r"missing has 'b' and classes\[1\] has 'b'"),
        ({"positive": True, "negative": "yes"}, "positive has True and negative has 'yes'"),
    ],
)
def test_a_value_has_one_meaning(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        made(outcome={"name": "d", "column": "c", **fields})
