"""Columns that are missing together."""

from __future__ import annotations

from gdsfd.first_spec.blocks import blocks_of
from tests.first_spec.tables import table_of

ROWS = 100
HALF = [None if k % 2 else k for k in range(ROWS)]
THIRD = [None if k % 3 else k for k in range(ROWS)]
ALL = list(range(ROWS))


def test_gaps_that_agree_make_one_block():
    table = table_of("c", age=ALL, lab_a=HALF, lab_b=HALF, scan=THIRD, sex=["f"] * ROWS)
    found = {block.name: block.columns for block in blocks_of(table, ["age", "lab_a", "lab_b", "scan", "sex"])}
    assert found == {"c_basics": ("age", "sex"), "lab": ("lab_a", "lab_b"), "scan": ("scan",)}
    assert [round(block.measured, 2) for block in blocks_of(table, ["age", "lab_a", "scan"])] == [1.0, 0.5, 0.34]


def test_declared_missing_values_are_gaps():
    table = table_of("c", age=ALL, height=[-1 if k % 2 else 170 for k in range(ROWS)])
    assert len(blocks_of(table, ["age", "height"], [-1.0])) == 2
    assert len(blocks_of(table, ["age", "height"])) == 1


def test_one_block_where_all_are_there_or_where_there_would_be_too_many():
    assert [block.name for block in blocks_of(table_of("c", a=ALL, b=ALL), ["a", "b"])] == ["c"]
    many = {f"x{k}": [None if row % (k + 2) == 0 else 1 for row in range(ROWS)] for k in range(20)}
    assert len(blocks_of(table_of("c", **many), list(many))) == 1
