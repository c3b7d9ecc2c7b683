"""Tables of text keep to their width."""

from __future__ import annotations

from gdsfd.cohort.receipt.text_table import text_table, wrapped


def test_aligned():
    assert text_table(["name", "n"], [["a", "1,000"], ["long", "7"]], indent="") == [
        "name      n",
        "a     1,000",
        "long      7",
    ]


def test_columns_that_do_not_fit_follow_below():
    lines = text_table(["row", "aaaa", "bbbb", "cccc"], [["x", "1", "2", "3"]], indent="", width=16)
    assert lines == [
        "row  aaaa  bbbb",
        "x       1     2",
        "",
        "row  cccc",
        "x       3",
    ]


def test_wide_cells_wrap():
    lines = text_table(["name", "what"], [["one two three", "a"]], left=(0, 1), indent="", width=22)
    assert lines == ["name     what", "one two  a", "three"]


def test_wrapped_splits_long_words_and_never_loses_them():
    lines = wrapped("x" * 25, "- ", width=12)
    assert lines == ["- " + "x" * 10, "  " + "x" * 10, "  " + "x" * 5]
    assert wrapped("", "- ") == ["- "]
