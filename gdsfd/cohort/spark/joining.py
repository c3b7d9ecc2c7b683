"""Joins on equal columns, and whether a value is among those of another table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlglot import exp

from gdsfd.cohort.sources.sql_text import quoted
from gdsfd.cohort.spark.frame import Frame, places, stored_columns

__all__ = ["MARK", "join", "marked"]

MARK = "__gdsfd_mark_"  #: begins the names of the columns of :func:`marked`
Columns = Callable[[Any], Any]


def join(
    first: Any,
    joins: Sequence[Any],
    parts: Iterable[Any],
    frame_of: Callable[[Any, frozenset[str]], Frame],
) -> tuple[Frame, Columns]:
    """Tables beside one another.

    Args:
        first: The first table or subquery.
        joins: The others, each with its kind and condition.
        parts: Expressions that name their columns, each behind the name of its table.
        frame_of: The frame of a table or subquery, of which some columns (case-folded) are needed.

    Returns:
        A frame, and what turns references to columns into references to the frame's.
    """
    parts, conditions = list(parts), [_equalities(each) for each in joins]
    if any(part.is_star and not part.find(exp.Count) for part in parts):
        raise NotImplementedError("beside a join, no plan for *")
    asked: dict[str, set[str]] = {item.alias_or_name: set() for item in (first, *(each.this for each in joins))}
    references = [column for part in parts for column in part.find_all(exp.Column)]
    references += [column for pairs in conditions for pair in pairs for column in pair]
    for column in references:
        if column.table not in asked or isinstance(column.this, exp.Star):
            raise NotImplementedError(f"beside a join, no plan for the column {column.sql('duckdb')}")
        asked[column.table].add(column.name.casefold())
    frame = frame_of(first, frozenset(asked[first.alias_or_name]))
    frame = _under(first.alias_or_name, frame)
    for each, pairs in zip(joins, conditions):
        name = each.this.alias_or_name
        other = frame_of(each.this, frozenset(asked[name]))
        sides = [_sides(pair, name) for pair in pairs]
        if other.here is not None and not other.beside:
            frame = _joined_on_workers(frame, other, name, sides, _kind(each))
        else:
            frame = _joined(frame, _under(name, other), sides, _kind(each))

    def columns(part: Any) -> Any:
        part = part.copy()
        if isinstance(part, exp.Column):
            return exp.column(f"{part.table}.{part.name}", quoted=True)
        for column in list(part.find_all(exp.Column)):
            column.replace(exp.column(f"{column.table}.{column.name}", quoted=True))
        return part

    return frame, columns


def marked(
    frame: Frame,
    parts: Iterable[Any],
    frame_of: Callable[[Any, Mapping[str, Any], None], Frame],
    known: Mapping[str, Any],
) -> Frame:
    """With a column for each ``x IN (SELECT ...)`` of some expressions, which then name that column.

    Args:
        frame: The rows.
        parts: The expressions; changed in place.
        frame_of: The frame of a query, with what is known around it, and all its columns.
        known: Queries by name.
    """
    import pyspark.sql.functions as F

    for part in parts:
        for node in list(part.find_all(exp.In)):
            query = node.args.get("query")
            if query is None:
                continue
            if not isinstance(node.this, exp.Column):
                raise NotImplementedError(f"no plan for {node.sql('duckdb')[:200]}")
            among, place = frame_of(query, known, None), frame.names.index(node.this.name)
            mark = f"{MARK}{len(frame.names)}"
            values = among.worked_out().where(F.col("c0").isNotNull()).distinct().toDF("among")
            rows = frame.worked_out()
            beside = rows.join(values, F.col(f"c{place}") == F.col("among"), "left")
            found = F.when(F.col(f"c{place}").isNotNull(), F.col("among").isNotNull())
            rows = beside.select(*places(len(frame.names)), found.alias("mark"))
            frame = Frame.of(rows, [*frame.names, mark], [*frame.types, "BOOLEAN"])
            node.replace(exp.column(mark, quoted=True))
    return frame


def _under(name: str, frame: Frame) -> Frame:
    """The columns under the names that the expressions beside a join have for them."""
    source = f"__gdsfd_{name}_{len(frame.stages)}"
    renamed = ", ".join(f"{quoted(column)} AS {quoted(f'{name}.{column}')}" for column in frame.names)
    types = {f"{name}.{column}": kind for column, kind in zip(frame.names, frame.types)}
    if not frame.stages:
        return replace(frame, held=tuple(types), names=tuple(types))
    return frame.then(source, f"SELECT {renamed} FROM {quoted(source)}", types)


def _joined_on_workers(
    left: Frame,
    right: Frame,
    name: str,
    pairs: Sequence[tuple[str, str]],
    kind: str,
) -> Frame:
    """Beside a small table, which every worker gets whole: one more stage over each row."""
    source = f"__gdsfd_left_of_{name}_{len(left.stages)}"
    small = f"__gdsfd_small_{name}_{len(left.beside)}"
    columns = [f"l.{quoted(column)}" for column in left.names]
    columns += [f"r.{quoted(column)} AS {quoted(f'{name}.{column}')}" for column in right.names]
    on = " AND ".join(f"l.{quoted(mine)} = r.{quoted(theirs.removeprefix(f'{name}.'))}" for mine, theirs in pairs)
    beside = right.query(f"SELECT {stored_columns(right.held, right.held_types)} FROM {small}")
    query = f"SELECT {', '.join(columns)} FROM {quoted(source)} l {kind} JOIN ({beside}) r ON {on}"
    types = dict(zip(left.names, left.types)) | {f"{name}.{c}": t for c, t in zip(right.names, right.types)}
    return left.with_beside(small, right).then(source, query, types)


def _kind(each: Any) -> str:
    words = " ".join(str(each.args.get(part) or "") for part in ("side", "kind")).upper().split()
    if words in (["LEFT"], ["LEFT", "OUTER"]):
        return "left"
    if words in ([], ["INNER"]):
        return "inner"
    raise NotImplementedError(f"no plan for a join of the kind {' '.join(words)}")


def _equalities(each: Any) -> list[tuple[Any, Any]]:
    condition = each.args.get("on")
    parts = [] if condition is None else list(condition.flatten() if isinstance(condition, exp.And) else [condition])
    pairs = []
    for part in parts:
        if isinstance(part, exp.Paren):
            part = part.this
        if not isinstance(part, exp.EQ) or not all(isinstance(side, exp.Column) for side in (part.left, part.right)):
            raise NotImplementedError(f"no plan for a join on {part.sql('duckdb')[:200]}")
        pairs.append((part.left, part.right))
    if not pairs:
        raise NotImplementedError("no plan for a join without a condition")
    return pairs


def _sides(pair: tuple[Any, Any], name: str) -> tuple[str, str]:
    """The two columns of an equality, that of the table joined last."""
    left, right = pair if pair[1].table == name else pair[::-1]
    return f"{left.table}.{left.name}", f"{right.table}.{right.name}"


def _joined(left: Frame, right: Frame, pairs: Sequence[tuple[str, str]], kind: str) -> Frame:
    import pyspark.sql.functions as F

    one, other = _with_prefix(left.worked_out(), "l"), _with_prefix(right.worked_out(), "r")
    condition: Any = None
    for mine, theirs in pairs:
        same = F.col(f"l{left.names.index(mine)}") == F.col(f"r{right.names.index(theirs)}")
        condition = same if condition is None else condition & same
    beside = one.join(other, condition, kind)
    return Frame.of(beside, [*left.names, *right.names], [*left.types, *right.types])


def _with_prefix(data: Any, letter: str) -> Any:
    return data.toDF(*(f"{letter}{k}" for k in range(len(data.columns))))
