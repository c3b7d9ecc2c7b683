"""A SELECT of DuckDB as work for Spark.

Joins, groups, distinct rows, orders and limits become Spark's. What stands between them treats each row by itself and
stays DuckDB's SQL, as it is written, for the workers. What is neither is refused: nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlglot import exp, parse_one

from gdsfd.cohort.sources.sql_text import quoted
from gdsfd.cohort.spark.aggregates import aggregated, is_aggregate
from gdsfd.cohort.spark.frame import ORDER, Frame
from gdsfd.cohort.spark.joining import MARK, join, marked

__all__ = ["LaidOver", "Plan", "Relation"]


@dataclass(frozen=True)
class LaidOver:
    """A view of single rows of one table, whose SQL is passed on to the workers to the letter.

    Args:
        base: The table.
        query: The view's query.
        reads: For each column of the view the columns of the table that it depends on.
        types: What comes out, name -> DuckDB type.
    """

    base: str
    query: str
    reads: Mapping[str, Collection[str]]
    types: dict[str, str]


Relation = Any  #: a :class:`Frame`, a :class:`LaidOver`, or the tree of a view's query


@dataclass
class _From:
    """What a SELECT reads.

    Args:
        frame: The rows.
        name: What the SELECT calls them.
        columns: Gives each reference to a column its name in the frame.
    """

    frame: Frame
    name: str
    columns: Callable[[Any], Any]


class Plan:
    """Turns queries into frames.

    Args:
        known: Tables and views by name.
        types_of: DuckDB's types of a query's columns, by name.
    """

    def __init__(self, known: Mapping[str, Relation], types_of: Callable[[str], dict[str, str]]) -> None:
        self.known = known
        self.types_of = types_of
        self._names = 0

    def frame(self, query: str | Any) -> Frame:
        """The frame of a query.

        Args:
            query: A SELECT in DuckDB's SQL.
        """
        tree = parse_one(query, dialect="duckdb") if isinstance(query, str) else query
        return self._query(tree, {}, None, outermost=True)

    def _query(
        self,
        query: Any,
        around: Mapping[str, Any],
        needed: frozenset[str] | None,
        outermost: bool = False,
    ) -> Frame:
        while isinstance(query, exp.Subquery):
            query = query.this
        if not isinstance(query, exp.Select):
            raise NotImplementedError(f"no plan for {type(query).__name__}: {query.sql('duckdb')[:200]}")
        query = query.copy()
        known = {**around, **{cte.alias: cte.this for cte in query.ctes}}
        plain = not any(query.args.get(part) for part in ("distinct", "group", "order", "having", "limit"))
        if needed is not None and plain and not any(map(is_aggregate, query.selects)):
            kept = [each for each in query.selects if each.is_star or each.alias_or_name.casefold() in needed]
            query.set("expressions", kept or query.selects[:1])
        source = self._from(query, known, needed)
        selects = [_named(source.columns(each), k, each) for k, each in enumerate(query.selects)]
        where, having = (
            source.columns(query.args[part].this) if query.args.get(part) else None for part in ("where", "having")
        )
        order = (
            [(source.columns(key.this), key) for key in query.args["order"].expressions]
            if query.args.get("order")
            else []
        )
        if any(part.find(exp.Window) for part in _parts(query)):
            raise NotImplementedError(f"no plan for a window: {query.sql('duckdb')[:200]}")
        frame = marked(source.frame, [*selects, *([] if where is None else [where])], self._query, known)
        groups = query.args["group"].expressions if query.args.get("group") else []
        grouped = bool(groups) or having is not None or any(map(is_aggregate, selects))
        if grouped:
            keys = [_group_key(source.columns(key), selects) for key in groups]
            frame, selects, where = aggregated(frame, source.name, selects, where, having, keys, self.types_of)
        limit = query.args.get("limit")
        if limit is None and not outermost:
            order = []  # the rows of a table have no order
        distinct = query.args.get("distinct") is not None
        shown = [] if any(each.is_star for each in selects) else [each.unalias() for each in selects]
        order = [
            (exp.Literal.number(shown.index(key) + 1) if key in shown and not _is_place(key) else key, how)
            for key, how in order
        ]
        hidden = [
            exp.alias_(key.copy(), f"{ORDER}{k}", quoted=True)
            for k, (key, _) in enumerate(order)
            if not distinct and not _is_place(key)
        ]
        frame = self._mapped(frame, source.name, [*selects, *hidden], where)
        unmarked = {name: kind for name, kind in zip(frame.names, frame.types) if not name.startswith(MARK)}
        if len(unmarked) < len(frame.names):  # a star takes the marks, too
            few = f"SELECT {', '.join(map(quoted, unmarked))} FROM {source.name}_marked"
            frame = frame.then(f"{source.name}_marked", few, unmarked)
        if where is not None:  # what it leaves out need not be fetched
            frame = replace(frame, whole=frame.whole and grouped and not groups)
        if distinct:
            frame = self._distinct(frame, source.name)
        by = [_order_key(frame, k, key, how) for k, (key, how) in enumerate(order)]
        if limit is None:
            return replace(frame, order=tuple(by))
        return self._first_rows(frame, source.name, by, int(limit.expression.name), outermost)

    def _distinct(self, frame: Frame, name: str) -> Frame:
        """Distinct rows: each worker those of its own, then Spark those of all."""
        columns = dict(zip(frame.names, frame.types))
        own = frame.then(f"{name}_all", f"SELECT DISTINCT * FROM {name}_all", columns)
        return Frame.of(own.worked_out().distinct(), frame.names, frame.types)

    def _first_rows(
        self, frame: Frame, name: str, order: Sequence[tuple[int, bool]], count: int, outermost: bool
    ) -> Frame:
        """The first rows: each worker's own, then the first of these, by Spark where more is to be done with them."""
        import pyspark.sql.functions as F

        keys = [f"{place + 1} {'DESC' if largest else 'ASC'} NULLS LAST" for place, largest in order]
        by = f" ORDER BY {', '.join(keys)}" if keys else ""
        columns = dict(zip(frame.names, frame.types))
        frame = frame.then(f"{name}_every", f"SELECT * FROM {name}_every{by} LIMIT {count}", columns)
        if not outermost:
            data = frame.worked_out()
            places = [(F.col(f"c{place}"), largest) for place, largest in order]
            data = data.orderBy(*(c.desc_nulls_last() if largest else c.asc_nulls_last() for c, largest in places))
            return Frame.of(data.limit(count), frame.names, frame.types)
        # Their order is in the frame: Spark does not promise to hand it on.
        return replace(frame, order=tuple(order), most=count)

    def _mapped(self, frame: Frame, name: str, selects: list[Any], where: Any | None) -> Frame:
        """A further stage over each row; none where the rows stay as they are."""
        if (
            where is None
            and len(selects) == 1
            and isinstance(selects[0], exp.Star)
            and not any(selects[0].args.values())
        ):
            return frame
        stage = exp.Select(expressions=selects).from_(exp.to_identifier(name, quoted=True))
        if where is not None:
            stage = stage.where(where)
        query = stage.sql("duckdb")
        return frame.then(name, query, self.types_of(frame.then(name, query, {}).query_of_nothing()))

    def _from(self, query: exp.Select, known: Mapping[str, Any], needed: frozenset[str] | None) -> _From:
        start = query.args.get("from_") or query.args.get("from")
        if start is None:
            raise NotImplementedError(f"a SELECT without FROM: {query.sql('duckdb')[:200]}")
        joins = query.args.get("joins") or []
        self._names += 1
        name = f"__gdsfd_stage_{self._names}"
        if joins:
            frame, columns = join(
                start.this, joins, _parts(query), lambda item, wanted: self._item(item, known, wanted)
            )
            return _From(frame, name, columns)
        item = start.this
        frame = self._item(item, known, _needed(query, needed))
        return _From(frame, name, lambda part: _unqualified(part, item.alias_or_name))

    def _item(self, item: Any, known: Mapping[str, Any], needed: frozenset[str] | None) -> Frame:
        """A table, a view or a subquery."""
        if isinstance(item, exp.Subquery):
            return self._query(item.this, known, needed)
        if not isinstance(item, exp.Table):
            raise NotImplementedError(f"no plan for rows of {item.sql('duckdb')[:200]}")
        relation = known[item.name] if item.name in known else self.known[item.name]
        if isinstance(relation, Frame):
            return relation.pruned(needed)
        if isinstance(relation, LaidOver):
            read = [
                column
                for name, columns in relation.reads.items()
                if needed is None or name.casefold() in needed
                for column in columns
            ]
            base = self._item(exp.to_table(relation.base), {}, None)
            return base.read_in_part(read).then(relation.base, relation.query, relation.types)
        return self._query(relation, known, needed)


def _parts(query: exp.Select) -> Iterator[Any]:
    """All of a SELECT but what it reads."""
    yield from query.expressions
    for part in ("where", "group", "having", "order"):
        if query.args.get(part):
            yield query.args[part]


def _needed(query: exp.Select, needed: frozenset[str] | None) -> frozenset[str] | None:
    """Columns that a SELECT asks of its one source, case-folded; None = all."""
    found: set[str] = set()
    for part in _parts(query):
        for column in part.find_all(exp.Column):
            found.add(column.name.casefold())
        for star in part.find_all(exp.Star):
            if isinstance(star.parent, exp.Count):
                continue
            if needed is None:
                return None
            found |= needed
            found |= {str(each.name).casefold() for each in star.args.get("except_") or star.args.get("except") or []}
            found |= {
                str(each.alias).casefold() for each in star.args.get("replace_") or star.args.get("replace") or []
            }
    return frozenset(found)


def _unqualified(part: Any, owner: str) -> Any:
    """Without the name of the one source before its columns."""
    part = part.copy()
    for column in list(part.find_all(exp.Column)):
        if column.table == owner:
            column.set("table", None)
    return part


def _named(select: Any, place: int, written: Any) -> Any:
    """With a name of its own, so that it can be told from others."""
    if select.is_star or isinstance(select, exp.Alias):
        return select
    own = written.name if isinstance(written, exp.Column) else f"__gdsfd_column_{place}"
    return exp.alias_(select, own, quoted=True)


def _is_place(key: Any) -> bool:
    return isinstance(key, exp.Literal) and not key.is_string


def _group_key(key: Any, selects: list[Any]) -> Any:
    return selects[int(key.name) - 1].unalias() if _is_place(key) else key


def _order_key(frame: Frame, k: int, key: Any, how: Any) -> tuple[int, bool]:
    """The place of the column to sort by, and whether the largest comes first; blanks come last."""
    if how.args.get("nulls_first"):
        raise NotImplementedError("no plan for blanks that come first")
    if _is_place(key):
        return int(key.name) - 1, bool(how.args.get("desc"))
    names = [name.casefold() for name in frame.names]
    hidden = f"{ORDER}{k}"
    return names.index(hidden if hidden in names else key.name.casefold()), bool(how.args.get("desc"))
