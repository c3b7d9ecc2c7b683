"""Numbers with something around them: the SQL gives what a person reads."""

from __future__ import annotations

import duckdb
import pytest

from gdsfd.first_spec.clean_numbers import clean_number
from tests.first_spec.tables import facts_of


def read(cells):
    """The numbers that the SQL makes of the cells."""
    found = clean_number(facts_of("x", cells))
    if found is None:
        return None
    values = ", ".join(f"('{cell}', '{cell}')" for cell in cells)
    return [row[0] for row in duckdb.sql(f"SELECT {found.sql} FROM (VALUES {values}) t(x, x__text)").fetchall()]


@pytest.mark.parametrize(
    ("cells", "numbers"),
    [
        (["1,5", "2", "0,75", "-12,25"], [1.5, 2.0, 0.75, -12.25]),
        (["1,5e-3", "2,1", "7"], [0.0015, 2.1, 7.0]),
        (["> 89", "12", "<0.1", ">=7"], [89.0, 12.0, 0.1, 7.0]),
        (["7.4 mg/L", "12 mg/L", "3.3 mg/L"], [7.4, 12.0, 3.3]),
        (["1,5", "n/a", "2,5", "7,1"], [1.5, None, 2.5, 7.1]),
        (["1,234", "2,500", "3,1"], [1.234, 2.5, 3.1]),
        (["70,5", "81,2"], [70.5, 81.2]),
    ],
)
def test_plain_cases_are_read(cells, numbers):
    assert read(cells) == numbers


@pytest.mark.parametrize(
    "cells",
    [
        ["1,200", "2,500", "3,100"],  # thousands, or three decimals?
        ["1,200.5", "2,500.0", "3,100"],
        ["120/80", "130/90", "110/70"],
        ["7.4 mg/L", "12 g/L", "3.3 mg/L"],
        ["7,4 mg/L", "12 mg/L", "8,1 mg/L"],
        ["1", "2", "3"],
        ["a", "b", "c"],
        ["1-2", "2-3", "3-4"],
    ],
)
def test_what_is_not_plain_is_left_to_people(cells):
    assert read(cells) is None
