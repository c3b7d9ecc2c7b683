"""What a column holds."""

from __future__ import annotations

import pytest

from tests.first_spec.tables import facts_of


@pytest.mark.parametrize(
    ("cells", "form", "more"),
    [
        (["1", "2.5", None, "-3"], "number", {"numbers": 1.0, "lowest": -3.0, "highest": 2.5, "integers": False}),
        (["1.0", "2", "0"], "number", {"integers": True, "next_lowest": 1.0, "middle": 1.0}),
        (["007", "011"], "number", {"leading_zeros": True, "integers": True}),
        (["2150-01-31 10:05:00", "2150-02-01"], "timestamp", {"clock": True}),
        (["2150-01-31", "2150/2/1"], "timestamp", {"clock": False}),
        (["2150-01-31 00:00:00", "2150-02-01 00:00:00"], "timestamp", {"clock": False}),
        (["31.01.2020 10:05", "01.02.2020 11:00"], "local time", {"pattern": "%d.%m.%Y %H:%M", "sure": True}),
        (["01/31/2020", "02/11/2020"], "local time", {"pattern": "%m/%d/%Y", "clock": False}),
        (["31/01/2020", "11/02/2020"], "local time", {"pattern": "%d/%m/%Y", "sure": True}),
        (["01/02/2020", "03/04/2020"], "local time", {"sure": False}),
        (["20200131", "20191231"], "local time", {"pattern": "%Y%m%d", "clock": False}),
        (["00:30", "47:59", "-01:00"], "duration", {}),
        (["a", "b", "a"], "text", {"distinct": 2, "top": {"a": 2, "b": 1}}),
        ([None, None], "blank", {"filled": 0}),
    ],
)
def test_forms(cells, form, more):
    facts = facts_of("x", cells)
    assert facts.form == form
    assert facts.rows == len(cells)
    for name, value in more.items():
        assert getattr(facts, name) == value, name


def test_unique_needs_every_row_filled():
    assert facts_of("x", ["a", "b"]).unique
    assert not facts_of("x", ["a", None]).unique
    assert not facts_of("x", ["a", "a"]).unique
    assert not facts_of("x", ["a"]).unique


def test_equal_numbers_are_one_level():
    assert facts_of("sex", ["1", "1.0", "0", "0.0", "0"]).levels == {"0": 3, "1": 2}
    assert set(facts_of("code", ["007", "7"]).levels) == {"007", "7"}


def test_words_for_no_value_beside_numbers():
    facts = facts_of("x", [*map(str, range(50)), "n/a", "n/a", "> 89"])
    assert facts.form == "text"
    assert facts.mostly_numbers
    assert facts.missing_words == ["n/a"]


def test_a_few_times_that_cannot_be_read_do_not_hide_the_form():
    assert facts_of("t", ["2150-01-31 10:05"] * 99 + ["soon"]).form == "timestamp"
    assert facts_of("t", ["2150-01-31 10:05"] * 9 + ["soon"]).form == "text"
