from __future__ import annotations

from typing import Any

import pytest
from sqlglot import parse_one

from gdsfd.cohort.spark.frame import Frame
from gdsfd.cohort.spark.joining import join, marked


def parts(query: str) -> tuple[Any, Any, Any]:
    tree = parse_one(query, dialect="duckdb")
    return (tree.args.get("from_") or tree.args.get("from")).this, tree.args["joins"], tree.expressions


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("SELECT * FROM a JOIN b ON a.x = b.x", r"no plan for \*"),
        ("SELECT x FROM a JOIN b ON a.x = b.x", "no plan for the column x"),
        ("SELECT a.x FROM a JOIN b ON a.x < b.x", "no plan for a join on"),
        ("SELECT a.x FROM a JOIN b ON lower(a.x) = b.x", "no plan for a join on"),
        ("SELECT a.x FROM a CROSS JOIN b", "without a condition"),
    ],
)
def test_a_join_that_is_not_on_equal_columns_is_refused(query: str, message: str) -> None:
    with pytest.raises(NotImplementedError, match=message):
        join(*parts(query), lambda item, needed: pytest.fail("nothing is read"))


def test_each_table_is_asked_for_its_columns_only() -> None:
    asked = {}

    def frame_of(item: Any, needed: frozenset[str]) -> Frame:
        asked[item.alias_or_name] = sorted(needed)
        if len(asked) == 2:
            raise LookupError
        return Frame.of(Named(), sorted(needed), ["INTEGER"] * len(needed))

    class Named:
        def toDF(self, *names: str) -> Named:
            return self

    with pytest.raises(LookupError):
        join(*parts("SELECT a.x + b.Z AS s FROM t a LEFT JOIN u b ON a.k = b.k"), frame_of)
    assert asked == {"a": ["k", "x"], "b": ["k", "z"]}


def test_only_a_column_can_be_looked_for_in_another_table() -> None:
    expression = parse_one("lower(x) IN (SELECT y FROM t)", dialect="duckdb")
    with pytest.raises(NotImplementedError, match="no plan for LOWER"):
        marked(Frame(None, (), ()), [expression], lambda *query: pytest.fail("nothing is read"), {})
