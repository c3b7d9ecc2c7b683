"""Numbers of a spec are finite, of their type and within their bounds."""

from __future__ import annotations

from typing import Any

import pytest

from gdsfd.cohort.spec.numbers import short
from gdsfd.errors import SpecError
from tests.cohort.spec.specs import BASE, CODES, EVENTS, NO_NUMBERS, bounded, made


@pytest.mark.parametrize("value", [*NO_NUMBERS, 0, -1, 1e-7, 1e9], ids=bounded)
def test_bin_is_bounded(value: Any) -> None:
    with pytest.raises(
        SpecError, match=r"modality\[0\] \('labs'\).bin: expected a number from 0.001 to 52,596,000 minutes"
    ):
        made(modality={**EVENTS, "bin": value})


@pytest.mark.parametrize(
    ("field", "low", "high", "make"),
    [
        ("seed", 0, 2**32 - 1, lambda value: {"split": {"seed": value}}),
        ("folds", 2, 1000, lambda value: {"split": {"folds": value}}),
        ("fold", 0, None, lambda value: {"split": {"folds": 5, "fold": value}}),
        ("min_count", 1, 10**9, lambda value: {"modality": {**EVENTS, "min_count": value}}),
        ("min_level_count", 1, 10**9, lambda value: {"modality": {**BASE["modality"], "min_level_count": value}}),
        ("max_codes", 1, 10**9, lambda value: {"modality": {**CODES, "max_codes": value}}),
    ],
)  # fmt: skip
def test_whole_numbers_are_bounded(field: str, low: int, high: int | None, make: Any) -> None:
    wrong = [value for value in NO_NUMBERS if value is not None]  # no maximum of codes is none
    for value in [*wrong, 1.5, low - 1, -1, *([high + 1] if high else [2**40])]:
        with pytest.raises(SpecError, match=rf"{field}: expected a whole number from {low}"):
            made(**make(value))
    for value in (low, *([high] if high else [])):
        made(**make(value))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 10**400, 10**5000, -(10**30), "x" * 20_000], ids=bounded)
def test_declared_values_are_finite_and_short(value: Any) -> None:
    with pytest.raises(SpecError, match=r"missing\[0\]: expected (finite )?(numbers|texts)") as caught:
        made(modality={**EVENTS, "value": "v", "missing": value})
    assert len(str(caught.value)) < 400
    with pytest.raises(SpecError, match=r"positive\[1\]: expected"):
        made(outcome={"name": "d", "column": "c", "positive": [1, value]})


@pytest.mark.parametrize(("value", "expected"), [(60, 60.0), (0.001, 0.001), (52_596_000, 52_596_000.0)])
def test_the_bounds_are_admitted_and_whole_numbers_become_floats(value: Any, expected: float) -> None:
    read = made(modality={**EVENTS, "bin": value}).modality[0].bin
    assert (read, type(read)) == (expected, float)


def test_a_whole_number_may_be_written_as_a_float() -> None:
    read = made(split={"seed": 7.0}).split.seed
    assert (read, type(read)) == (7, int)


def test_values_of_columns_keep_their_type() -> None:
    values = made(modality={**EVENTS, "value": "v", "missing": [1, 1.5, "1", True]}).modality[0].missing
    assert [(value, type(value)) for value in values] == [(1, int), (1.5, float), ("1", str), (True, bool)]


def test_any_value_can_be_printed_and_is_short() -> None:
    assert short("a") == "'a'"
    assert short(10**5000) == "a whole number of thousands of digits"
    assert len(short("x" * 1000)) < 120
