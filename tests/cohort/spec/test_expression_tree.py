"""Expressions are read and written by the database's own parser, which runs nothing."""

from __future__ import annotations

import duckdb
import pytest

from gdsfd.cohort.spec.expression_tree import nodes, parser, statements, written


def chosen(text: str):
    (statement,) = statements(f"SELECT {text}")
    return statement["node"]["select_list"][0]


@pytest.mark.parametrize("text", ["(a + 1)", "((a = 'mg') OR (b IS NULL))", "lower(unit)", "CAST(a AS INTEGER)"])
def test_what_was_read_is_written_again_and_means_the_same(text):
    again = written(chosen(text))
    assert chosen(again) == chosen(text)


def test_every_part_of_an_expression_is_seen():
    parts = [node["class"] for node in nodes(chosen("CASE WHEN a > 1 THEN lower(b) ELSE 'x' END"))]
    assert parts.count("COLUMN_REF") == 2
    assert {"CASE", "COMPARISON", "FUNCTION", "CONSTANT"} <= set(parts)


@pytest.mark.parametrize("text", ["DROP TABLE patients", "SELECT (1", "no SQL at all"])
def test_what_is_no_select_has_no_statement(text):
    assert statements(text) == []


def test_the_parser_has_no_way_out():
    with pytest.raises(duckdb.Error, match=r"disabled|permission|configuration"):
        parser().execute("SELECT * FROM read_csv('/etc/passwd')")
