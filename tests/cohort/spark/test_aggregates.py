from __future__ import annotations

import pytest
from sqlglot import parse_one

from gdsfd.cohort.spark.aggregates import aggregated, is_aggregate
from gdsfd.cohort.spark.frame import Frame


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("count(*) + 1", True),
        ("sum(x) FILTER (WHERE y)", True),
        ("x + length(y)", False),
        ("x IN (SELECT max(y) FROM t)", False),
    ],
)
def test_what_works_over_several_rows(expression: str, expected: bool) -> None:
    assert is_aggregate(parse_one(expression, dialect="duckdb")) is expected


@pytest.mark.parametrize("expression", ["avg(x)", "string_agg(x, ',')", "median(x)", "first(x)", "max(x, 2)"])
def test_what_depends_on_an_order_or_on_who_counts_is_refused(expression: str) -> None:
    frame = Frame(None, ("x",), ("DOUBLE",), (), ("x",), ("DOUBLE",))
    with pytest.raises(NotImplementedError, match=r"no plan for the aggregate"):
        aggregated(frame, "rows", [parse_one(expression, dialect="duckdb")], None, None, [], lambda query: {})
