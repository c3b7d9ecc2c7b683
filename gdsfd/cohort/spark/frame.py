"""Rows in Spark, and what is still to be worked out of each of them."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gdsfd.cohort.sources.sql_text import quoted
from gdsfd.cohort.spark.on_workers import ARRIVING, MapRows
from gdsfd.cohort.spark.stored_types import spark_type, stored_as

__all__ = ["ORDER", "Frame", "places", "stored_columns"]

ORDER = "__gdsfd_order_"


def places(count: int) -> list[str]:
    """Names of columns in Spark: by their place, so that no name of a user's can mean anything there."""
    return [f"c{k}" for k in range(count)]


@dataclass(frozen=True)
class Frame:
    """Rows in Spark under names of DuckDB, and SQL over single rows that nobody has worked out yet.

    Args:
        data: A Spark DataFrame; its columns are called by their places. It has but one where rows are ``packed``.
        held: Their names.
        held_types: Their DuckDB types; they are stored as :func:`~gdsfd.cohort.spark.stored_types.stored_as` says.
        stages: SQL to be run on each row, one after the other: the name that the rows go by, and a query that reads it.
        names: The columns that come out.
        types: Their DuckDB types.
        here: What is held, on the driver, too, where it is little enough to be sent to every worker: a table of Arrow.
        beside: Small tables that the stages read, too: what these call them, the rows as stored, DuckDB's types.
        absent: Columns that the stages name but nothing asked for depends on, with DuckDB types; they stay behind.
        whole: Whether all that is held is wanted where the rows are fetched, as of groups; the stages are then no work
            for workers.
        order: What rows are sorted by once they are fetched: places of columns, and whether the largest come first.
            Columns whose names begin with :data:`ORDER` are there for nothing else.
        most: How many of these are then taken; None = all.
        packed: Where rows lie in pieces of many (:func:`~gdsfd.cohort.spark.on_workers.bytes_of`), which Spark hands to
            DuckDB as they are and not row by row, the places there of the columns held; else None.
    """

    data: Any
    held: tuple[str, ...]
    held_types: tuple[str, ...]
    stages: tuple[tuple[str, str], ...] = ()
    names: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    here: Any = None
    beside: tuple[tuple[str, Any, tuple[str, ...]], ...] = ()
    absent: tuple[tuple[str, str], ...] = ()
    whole: bool = False
    order: tuple[tuple[int, bool], ...] = ()
    most: int | None = None
    packed: tuple[int, ...] | None = None

    @classmethod
    def of(cls, data: Any, names: Sequence[str], types: Sequence[str], here: Any = None) -> Frame:
        """Rows as they are.

        Args:
            data: A Spark DataFrame, columns in the order of ``names``.
            names: Their names.
            types: Their DuckDB types.
            here: As above.
        """
        named, kinds = tuple(names), tuple(types)
        return cls(data.toDF(*places(len(named))), named, kinds, (), named, kinds, here)

    @classmethod
    def of_pieces(cls, data: Any, names: Sequence[str], types: Sequence[str], here: Any = None) -> Frame:
        """Packed rows.

        Args:
            data: A Spark DataFrame, the pieces its only column.
            names, types, here: As in :meth:`of`.
        """
        named, kinds = tuple(names), tuple(types)
        return cls(data, named, kinds, (), named, kinds, here, packed=tuple(range(len(named))))

    def pruned(self, needed: Collection[str] | None) -> Frame:
        """Without columns that nobody needs; upper and lower case are alike.

        Args:
            needed: Their names, case-folded; None = all.
        """
        if needed is None or self.stages:
            return self
        keep = [k for k, name in enumerate(self.names) if name.casefold() in needed] or [0]
        if len(keep) == len(self.names):
            return self
        here = None if self.here is None else self.here.select([f"c{k}" for k in keep])
        here = None if here is None else here.rename_columns(places(len(keep)))
        names, types = tuple(self.names[k] for k in keep), tuple(self.types[k] for k in keep)
        if self.packed is not None:
            found = replace(self, held=names, held_types=types, names=names, types=types, here=here)
            return replace(found, packed=tuple(self.packed[k] for k in keep))
        return Frame.of(self.data.select(*(f"c{k}" for k in keep)).toDF(*places(len(keep))), names, types, here)

    def read_in_part(self, columns: Collection[str]) -> Frame:
        """With some columns only; stages may still name the others, and find them blank.

        Args:
            columns: The columns that what is asked for depends on; upper and lower case are alike.
        """
        kept = self.pruned(frozenset(map(str.casefold, columns)))
        left = [(name, kind) for name, kind in zip(self.names, self.types) if name not in kept.names]
        return replace(kept, absent=tuple(left))

    def then(self, source: str, query: str, columns: dict[str, str]) -> Frame:
        """With a further query over each row.

        Args:
            source: What the query calls the rows.
            query: The query.
            columns: What comes out, name -> DuckDB type.
        """
        stages = (*self.stages, (source, query))
        named, kinds = tuple(columns), tuple(columns.values())
        return replace(self, stages=stages, names=named, types=kinds, order=(), most=None)

    def with_beside(self, name: str, small: Frame) -> Frame:
        """With a small table that further stages may read, as it is stored.

        Args:
            name: What they call it.
            small: The table; its own stages are still to be worked out.
        """
        return replace(self, beside=(*self.beside, (name, small.here, small.held_types)), whole=False)

    def sorted(self, rows: str) -> str:
        """SQL of fetched rows in their order.

        Args:
            rows: SQL of the rows.
        """
        limit = "" if self.most is None else f" LIMIT {self.most}"
        if not self.order:
            return f"SELECT * FROM ({rows}){limit}" if limit else rows
        keys = ", ".join(
            f"{quoted(self.names[k])} {'DESC' if largest else 'ASC'} NULLS LAST" for k, largest in self.order
        )
        shown = ", ".join(quoted(name) for name in self.names if not name.startswith(ORDER))
        return f"SELECT {shown} FROM ({rows}) ORDER BY {keys}{limit}"

    def query(self, arriving: str) -> str:
        """All stages as one query.

        Args:
            arriving: SQL of the rows as they are held, under their names and with their DuckDB types.
        """
        blank = "".join(f", CAST(NULL AS {kind}) AS {quoted(name)}" for name, kind in self.absent)
        return _chained({}, self.stages, f"SELECT *{blank} FROM ({arriving})" if blank else arriving)

    def query_of_nothing(self) -> str:
        """The same query over no rows, for its names and types."""
        small = {name: _typed_nothing(places(len(kinds)), map(stored_as, kinds)) for name, _, kinds in self.beside}
        names, types = zip(*zip(self.held, self.held_types), *self.absent)
        return _chained(small, self.stages, _typed_nothing(names, types))

    def worked_out(self) -> Any:
        """A Spark DataFrame of what comes out, columns called by their places, as stored."""
        if not self.stages and self.packed is None:
            return self.data
        held = stored_columns(self.held, self.held_types, at=self.packed)
        query = self.query(f"SELECT {held} FROM {quoted(ARRIVING)}")
        layout = ", ".join(f"c{k} {spark_type(kind)}" for k, kind in enumerate(self.types))
        stored = stored_columns(self.names, self.types, to=True)
        small = {name: here for name, here, _ in self.beside}
        return self.data.mapInArrow(MapRows(f"SELECT {stored} FROM ({query})", small, self.packed is not None), layout)


def stored_columns(
    names: Iterable[str], types: Sequence[str], to: bool = False, at: Sequence[int] | None = None
) -> str:
    """SQL that turns columns as stored in Spark into those of DuckDB.

    Args:
        names: DuckDB's names; Spark calls columns by their places.
        types: DuckDB's types.
        to: The other way round.
        at: Their places, where these are others than 0, 1, ...
    """
    cells = []
    for k, name, kind in zip(itertools.count() if at is None else at, names, types):
        there, stored = (quoted(name), f"c{k}"), stored_as(kind)
        cell, called = there if to else there[::-1]
        cells.append(f"{cell if stored == kind else f'CAST({cell} AS {stored if to else kind})'} AS {called}")
    return ", ".join(cells)


def _chained(small: dict[str, str], stages: Sequence[tuple[str, str]], before: str) -> str:
    if not stages:
        return before
    parts = [f"{name} AS ({query})" for name, query in small.items()]
    for source, query in stages:
        parts.append(f"{quoted(source)} AS NOT MATERIALIZED ({before})")
        before = query
    return f"WITH {', '.join(parts)} {before}"


def _typed_nothing(names: Iterable[str], types: Iterable[str]) -> str:
    nulls = ", ".join(f"CAST(NULL AS {kind}) AS {quoted(name)}" for name, kind in zip(names, types))
    return f"SELECT {nulls} WHERE false"
