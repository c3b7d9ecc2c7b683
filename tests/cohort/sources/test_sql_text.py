"""Pieces of SQL, run by the database itself."""

from __future__ import annotations

from itertools import product
from typing import Any

import duckdb
import pytest

from gdsfd.cohort.sources.column_names import BLANKS
from gdsfd.cohort.sources.sql_text import (
    cleaned,
    has_word,
    looks_integer,
    looks_like_a_date,
    looks_number,
    looks_timestamp,
    looks_zoned,
    number,
    quoted,
    string_literal,
)

AWKWARD = ["plain", "two words", 'a "quoted" one', "it's", '"', "'", "a;b -- c", "größe", "back\\slash"]


def said_of(expression: str, text: str | None) -> Any:
    """What an expression over column ``x`` gives for one cell."""
    (row,) = duckdb.execute(f"SELECT {expression} FROM (SELECT CAST(? AS VARCHAR) AS x)", [text]).fetchall()
    return row[0]


@pytest.mark.parametrize("name", AWKWARD)
def test_names_and_texts_come_back_as_they_went_in(name: str) -> None:
    relation = duckdb.sql(f"SELECT {string_literal(name)} AS {quoted(name)}")
    assert relation.columns == [name]
    assert relation.fetchall() == [(name,)]


@pytest.mark.parametrize(
    ("name", "expression", "there"),
    [
        ("age", "AGE > 60", True),
        ("age", '"age" > 60', True),
        ("age", "average > 60", False),
        ("age", "age_2 > 60", False),
        ("a.b", "a.b > 1", True),
        ("a.b", "axb > 1", False),  # a point is a point, not any letter
        ("h", "höhe > 1", False),
        ("x", "", False),
    ],
)
def test_a_column_is_mentioned_as_a_whole_word(name: str, expression: str, there: bool) -> None:
    assert has_word(name, expression) is there


def test_cleaned_text_is_what_python_strips() -> None:
    parts = ["", " ", "\t", "\u00a0", "\u200b", "\ufeff", "a", "é", "a b", "a\u00a0b"]
    assert set("".join(parts)) - set("aéb") <= set(BLANKS)
    cells = ["".join(three) for three in product(parts, repeat=3)]
    texts = ", ".join(f"({string_literal(cell)})" for cell in cells)
    found = duckdb.execute(f"SELECT x, {cleaned('x')} FROM (VALUES {texts}) AS cells(x)").fetchall()
    assert found == [(cell, cell.strip(BLANKS) or None) for cell in cells]
    assert said_of(cleaned("x"), None) is None


@pytest.mark.parametrize(
    ("cell", "value", "integer", "plain"),
    [
        ("0", 0.0, True, True),
        ("-7", -7.0, True, True),
        ("+7", 7.0, True, True),
        ("1e3", 1000.0, False, True),
        ("0.5", 0.5, False, True),
        ("-0.5", -0.5, False, True),
        ("9" * 18, 1e18, True, True),
        ("9" * 19, 1e19, False, True),  # beyond what an integer column always holds
        ("007", 7.0, False, False),
        ("-01", -1.0, False, False),
        ("1_000", None, False, False),
        ("1,234", None, False, False),
        ("nan", None, False, False),
        ("inf", None, False, False),
        ("-Infinity", None, False, False),
        ("1e999", None, False, False),
        ("V10", None, False, False),
    ],
)
def test_which_texts_are_numbers(cell: str, value: float | None, integer: bool, plain: bool) -> None:
    assert said_of(number("x"), cell) == value
    assert said_of(looks_integer("x"), cell) is integer
    assert said_of(looks_number("x"), cell) is plain


@pytest.mark.parametrize(
    ("cell", "stamp", "zoned", "like_a_date"),
    [
        ("2150-01-01", True, False, True),
        ("2150-1-1 9:05", True, False, True),
        ("2150/01/31T10:00:00.25", True, False, True),
        ("2150-02-30", False, False, True),  # there is no such day
        ("2150-01-01 10:00Z", False, True, True),
        ("2150-01-01T10:00:00+02:00", False, True, True),
        ("2150-01-01 soon", False, False, True),
        ("03/04/2020", False, False, True),
        ("2150", False, False, False),
        ("12.5", False, False, False),
        ("10:00", False, False, False),
    ],
)
def test_which_texts_are_times(cell: str, stamp: bool, zoned: bool, like_a_date: bool) -> None:
    assert said_of(looks_timestamp("x"), cell) is stamp
    assert said_of(looks_zoned("x"), cell) is zoned
    assert said_of(looks_like_a_date("x"), cell) is like_a_date
