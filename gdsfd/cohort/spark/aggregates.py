"""Groups and counts, worked out by Spark over columns that DuckDB made of each row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from sqlglot import exp

from gdsfd.cohort.sources.sql_text import quoted
from gdsfd.cohort.spark.frame import Frame
from gdsfd.cohort.spark.stored_types import spark_type

__all__ = ["aggregated", "is_aggregate"]


def is_aggregate(part: Any) -> bool:
    """Whether an expression works over several rows.

    Args:
        part: The expression.
    """
    return any(not node.find_ancestor(exp.Subquery) for node in part.find_all(exp.AggFunc))


def aggregated(
    frame: Frame,
    name: str,
    selects: Sequence[Any],
    where: Any | None,
    having: Any | None,
    keys: Sequence[Any],
    types_of: Callable[[str], dict[str, str]],
) -> tuple[Frame, list[Any], Any | None]:
    """Groups of rows, one row each.

    DuckDB works out keys and what is counted, row by row; Spark counts. Counts, sums of whole numbers, extremes and
    distinct counts do not depend on who counts, nor in which order.

    Args:
        frame: The rows.
        name: What the expressions call them.
        selects: What is selected.
        where: Which rows.
        having: Which groups.
        keys: What makes a group; none = all rows are one.
        types_of: DuckDB's types of a query's columns.

    Returns:
        The groups, what is selected of them, and which.
    """
    found: dict[str, Any] = {}
    of_key = {key.sql("duckdb"): f"key_{k}" for k, key in enumerate(keys)}

    def replaced(node: Any) -> Any:
        sql = node.sql("duckdb")
        if sql in of_key:
            return exp.column(of_key[sql], quoted=True)
        if isinstance(node, (exp.Filter, exp.AggFunc)):
            found.setdefault(sql, node.copy())
            return exp.column(f"aggregate_{list(found).index(sql)}", quoted=True)
        return node

    after = [_transformed(each, replaced) for each in selects]
    which = None if having is None else _transformed(having, replaced)
    counted = [_Counted(node) for node in found.values()]
    columns = [f"{key.sql('duckdb')} AS key_{k}" for k, key in enumerate(keys)]
    columns += [f"{each.argument.sql('duckdb')} AS argument_{k}" for k, each in enumerate(counted)]
    condition = "" if where is None else f" WHERE {where.sql('duckdb')}"
    query = f"SELECT {', '.join(columns)} FROM {quoted(name)}{condition}"
    rows = frame.then(name, query, types_of(frame.then(name, query, {}).query_of_nothing()))
    # Each worker groups its own rows; Spark then groups what they found, or the rows where that is not the same.
    own = f"{name}_own"
    taken = [f"key_{k}" for k in range(len(keys))]
    taken += [f"{each.sql(f'argument_{k}')} AS aggregate_{k}" for k, each in enumerate(counted)]
    query = f"SELECT {', '.join(taken)} FROM {own}{' GROUP BY ALL' if keys else ''}"
    grouped = rows.then(own, query, types_of(rows.then(own, query, {}).query_of_nothing()))
    if any(each.distinct for each in counted):
        groups = _of_rows(rows, len(keys), counted, grouped)
    else:
        groups = _of_groups(grouped, len(keys), counted)
    return replace(groups, whole=True), after, which


class _Counted:
    """An aggregate: what of each row goes in, in DuckDB's SQL, and how Spark takes it together."""

    def __init__(self, node: Any) -> None:
        condition = None
        if isinstance(node, exp.Filter):
            condition, node = node.expression.this, node.this
        self.node, self.least = node, 0
        self.distinct = isinstance(node.this, exp.Distinct)
        value = node.this.expressions[0] if self.distinct else node.this
        if isinstance(node, exp.Count) and not self.distinct:
            here = (
                None if isinstance(value, exp.Star) else exp.Not(this=exp.Is(this=value.copy(), expression=exp.null()))
            )
            wanted = [part for part in (condition, here) if part is not None]
            argument: Any = exp.Literal.number(1)
            condition = exp.and_(*wanted) if wanted else None
        elif isinstance(node, exp.CountIf):
            argument = exp.Literal.number(1)
            condition = value if condition is None else exp.and_(condition, value)
        elif isinstance(node, (exp.Count, exp.Sum, exp.Min, exp.Max)):
            argument = value.copy()
        else:
            raise NotImplementedError(f"no plan for the aggregate {node.sql('duckdb')[:200]}")
        further = [part for name, part in node.args.items() if name not in ("this", "big_int") and part]
        if isinstance(node, exp.Min) and further:  # min(x, 3): the three smallest; versions name the 3 differently
            self.least = int((further[0][0] if isinstance(further[0], list) else further[0]).name)
        elif further:
            raise NotImplementedError(f"no plan for the aggregate {node.sql('duckdb')[:200]}")
        self.argument = argument if condition is None else exp.Case().when(condition.copy(), argument)

    def sql(self, column: str) -> str:
        """The aggregate over its column in DuckDB's SQL, for its type."""
        if isinstance(self.node, (exp.Count, exp.CountIf)):
            return f"count({column})"
        function = self.node.key.lower()
        return f"{function}({column}, {self.least})" if self.least else f"{function}({column})"

    def of_rows(self, column: Any, kind: str, boolean: bool) -> Any:
        """Spark's aggregate over rows."""
        import pyspark.sql.functions as F

        if self.least:
            raise NotImplementedError(f"beside a count of different values, no plan for {self.node.sql('duckdb')}")
        if isinstance(self.node, (exp.Count, exp.CountIf)):
            return F.countDistinct(column) if self.distinct else F.count(column)
        if isinstance(self.node, exp.Sum):
            return F.sum(column.cast("bigint") if boolean else column).cast(spark_type(kind))
        return F.min(column) if isinstance(self.node, exp.Min) else F.max(column)

    def of_groups(self, column: Any, kind: str) -> Any:
        """Spark's aggregate over what each worker found."""
        import pyspark.sql.functions as F

        if isinstance(self.node, (exp.Count, exp.CountIf)):
            return F.coalesce(F.sum(column), F.lit(0)).cast("bigint")
        if self.least:
            lists = F.collect_list(column)
            few = F.slice(F.array_sort(F.flatten(lists)), 1, self.least)
            return F.when(F.size(lists) > 0, few)
        return self.of_rows(column, kind, boolean=False)


def _of_groups(grouped: Frame, keys: int, counted: Sequence[_Counted]) -> Frame:
    import pyspark.sql.functions as F

    columns = [each.of_groups(F.col(f"c{keys + k}"), grouped.types[keys + k]) for k, each in enumerate(counted)]
    found, by = grouped.worked_out(), [f"c{k}" for k in range(keys)]
    groups = found.groupBy(*by).agg(*columns) if columns else found.distinct()
    return Frame.of(groups, grouped.names, grouped.types)


def _of_rows(rows: Frame, keys: int, counted: Sequence[_Counted], like: Frame) -> Frame:
    import pyspark.sql.functions as F

    data, by = rows.worked_out(), [f"c{k}" for k in range(keys)]
    columns = [
        each.of_rows(F.col(f"c{keys + k}"), like.types[keys + k], rows.types[keys + k] == "BOOLEAN").alias(f"a{k}")
        for k, each in enumerate(counted)
    ]
    return Frame.of(data.groupBy(*by).agg(*columns), like.names, like.types)


def _transformed(part: Any, replaced: Callable[[Any], Any]) -> Any:
    """With parts replaced from the outside in; what was replaced is not looked into."""
    if isinstance(part, exp.Alias):
        return exp.alias_(_transformed(part.this, replaced), part.alias, quoted=True)
    return part.copy().transform(replaced)
