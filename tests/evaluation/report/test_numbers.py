"""How figures are written: what is undefined is a dash, what rounds to nothing has no sign."""

from __future__ import annotations

import math

import pytest

from gdsfd.evaluation.metrics.estimate import Estimate
from gdsfd.evaluation.report.numbers import count, interval, number, per_hundred, percent, spelled


@pytest.mark.parametrize(
    ("value", "signed", "text"),
    [
        (0.8125, False, "0.812"),
        (-0.0125, False, "−0.013"),
        (0.02, True, "+0.020"),
        (-0.0004, True, "0.000"),
        (0.0004, True, "0.000"),
        (0.0, True, "0.000"),
        (math.nan, False, "–"),
        (-math.inf, True, "–"),
    ],
)
def test_numbers(value, signed, text):
    assert number(value, signed=signed) == text


def test_shares():
    assert (percent(0.0834), percent(0.5, 0), percent(math.nan)) == ("8.3\xa0%", "50\xa0%", "–")
    assert (per_hundred(0.126), per_hundred(math.nan)) == ("13", "–")


def test_intervals():
    assert interval(Estimate(0.5)) == "0.500"
    assert interval(Estimate(0.5, 0.25, 0.75), as_percent=True) == "50.0\xa0% (25.0\xa0% to 75.0\xa0%)"
    assert interval(Estimate.undefined("no positive patient")) == "–"


def test_words():
    assert [count(n, "person", "persons") for n in (0, 1, 1234)] == ["0 persons", "1 person", "1,234 persons"]
    assert spelled("in_hospital_death") == "in hospital death"
