"""Conditions on the text of one column are known by what they compare, whichever way round they are written."""

from __future__ import annotations

import pytest

from gdsfd.cohort.spec.row_expression import row_expression
from gdsfd.cohort.spec.text_conditions import Comparison


@pytest.mark.parametrize(
    ("text", "words", "unequal"),
    [
        ("unit = 'mg'", ("mg",), False),
        ("'mg' = unit", ("mg",), False),
        ("unit <> 'mg'", ("mg",), True),
        ("NOT (unit = 'mg')", ("mg",), True),
        ("unit IN ('mg', 'g', 'mg')", ("mg", "g"), False),
        ("unit NOT IN ('mg', 'g')", ("mg", "g"), True),
    ],
)
def test_comparisons_of_a_bare_column_with_texts(text, words, unequal):
    assert row_expression(text).compared == (Comparison("unit", words, unequal),)
    assert row_expression(text).tested == ()


@pytest.mark.parametrize(
    ("text", "held", "unequal"),
    [
        ("unit LIKE 'mg%'", "mg/l", False),
        ("unit NOT LIKE 'mg%'", "mg/l", True),
        ("NOT starts_with(unit, 'mg')", "mg/l", True),
        ("lower(unit) = 'mg'", "MG", False),
        ("strpos(unit, 'g/') > 0", "mg/l", False),
    ],
)
def test_patterns_hold_of_the_cells_that_they_are_written_for(text, held, unequal):
    (test,) = row_expression(text).tested
    assert test.column == "unit"
    assert test.held_by(["kg m", held]) == [held]
    assert test.held_by(["kg m"]) == []
    assert test.unequal is unequal or "strpos" in text


def test_the_same_in_other_letters_is_told_apart():
    (test,) = row_expression("unit LIKE 'MG%'").tested
    assert test.held_by(["mg/l"]) == []
    assert test.held_by(["mg/l"], lower=True) == ["mg/l"]


@pytest.mark.parametrize("text", ["dose > 3", "unit = other", "a || b = 'mg'", "unit IS NULL"])
def test_what_compares_no_single_column_with_texts_is_none(text):
    found = row_expression(text)
    assert (found.compared, found.tested) == ((), ())
