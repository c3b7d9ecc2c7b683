"""Inputs of a table with one row per patient."""

from __future__ import annotations

from gdsfd.first_spec.columns_taken import columns_taken
from tests.first_spec.tables import table_of

ROWS = 100


def taken(own=(), leaks=(), **columns):
    return columns_taken(table_of("c", **columns), dict(own), dict(leaks))


def test_what_is_no_input_is_left_out_with_the_reason():
    found = taken(
        own={"stay": "the id"},
        leaks={"los": "known at the end"},
        stay=range(ROWS),
        los=[k % 7 for k in range(ROWS)],
        blank=[None] * ROWS,
        same=["x"] * ROWS,
        admitted=[f"2150-01-{k % 28 + 1:02d}" for k in range(ROWS)],
        order_id=[k % 60 for k in range(ROWS)],
        remark=[f"a text of patient {k}" for k in range(ROWS)],
        sodium=[140 + k % 9 for k in range(ROWS)],
    )
    assert found.columns == ["sodium"]
    assert found.left_out["stay"] == "the id"
    assert found.left_out["los"] == "known at the end"
    assert set(found.left_out) == {"stay", "los", "blank", "same", "admitted", "order_id", "remark"}


def test_a_number_that_stands_apart_means_not_measured():
    found = taken(height=[-1 if k % 5 == 0 else 150 + k for k in range(ROWS)], base=[k % 3 for k in range(ROWS)])
    assert found.missing == [-1]
    both = taken(
        height=[-1 if k % 5 == 0 else 150 + k for k in range(ROWS)], base_excess=[k % 9 - 4 for k in range(ROWS)]
    )
    assert both.missing == []
    assert both.derive == {"height": "NULLIF(height, -1)"}


def test_a_zero_that_nobody_can_have():
    found = taken(chol=[0 if k % 5 == 0 else 150 + k for k in range(ROWS)], pain=[k % 11 for k in range(ROWS)])
    assert found.derive == {"chol": "NULLIF(chol, 0)"}


def test_codes_written_as_numbers():
    found = taken(
        icu_type=[k % 4 for k in range(ROWS)], cp=[k % 4 + 1 for k in range(ROWS)], yes=[k % 2 for k in range(ROWS)]
    )
    assert found.categorical == ["icu_type"]
    assert any("'cp'" in note and "'yes'" not in note for note in found.notes)


def test_numbers_with_something_around_them():
    found = taken(
        age=["> 89" if k % 9 == 0 else 20 + k % 60 for k in range(ROWS)], ph=["7,4", "7,35", "7,2", "7,31"] * 25
    )
    assert set(found.derive) == {"age", "ph"}
    words = taken(crp=["error" if k % 9 == 0 else 20 + k % 60 for k in range(ROWS)])
    assert words.missing == ["error"]
