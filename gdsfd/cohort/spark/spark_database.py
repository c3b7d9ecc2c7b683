"""The database of a build whose rows are in Spark."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any, TypeVar

import duckdb
import pyarrow as pa
from sqlglot import exp, parse_one

from gdsfd.cohort.sources.database import Database, Fold
from gdsfd.cohort.sources.sql_text import quoted
from gdsfd.cohort.spark.frame import Frame, stored_columns
from gdsfd.cohort.spark.on_workers import ARRIVING, FoldRows, bytes_of, told_by_worker
from gdsfd.cohort.spark.plan import LaidOver, Plan, Relation
from gdsfd.cohort.spark.session import SIZES_PARTS, has_ended, of_spark
from gdsfd.cohort.spark.stored_types import spark_type
from gdsfd.errors import InputError

__all__ = ["SparkDatabase", "first_line"]

T = TypeVar("T")

#: Bytes up to which a table from the driver is sent to every worker that joins with it: a million patients.
_SMALL_BYTES = 64 << 20
_FOLDED_ROWS = 1 << 19  #: rows of a partition that is folded into one piece, about
_SHUFFLED_ROWS = 1 << 21  #: rows of the largest table that one part has after a join, about
_PARTS = "spark.sql.shuffle.partitions"
_ROWS_WORTH_A_PART = 1 << 16  #: that are fewer are folded in one place
#: Bytes from which on rows sent to Spark are worth a second part, and the most of a part.
_PIECE_BYTES, _MOST_PIECE_BYTES = 1 << 20, 1 << 25


class SparkDatabase(Database):
    """A database whose tables and views are empty sketches, and whose rows are in Spark under the same names.

    DuckDB has the last word on names and types, and checks every statement on the sketch; queries then run on Spark.
    A caller's session is left as it was: nothing is set, and no table or view of the package is in its catalogue. A
    session of the build's own has more parts the more rows there are, so that no worker holds half of a large cohort.

    Args:
        session: A Spark session.
        scratch, files, folders: As in :class:`~gdsfd.cohort.sources.database.Database`.
    """

    def __init__(
        self, session: Any, scratch: Path | None = None, files: Sequence[str] = (), folders: Sequence[str] = ()
    ) -> None:
        super().__init__(scratch, files, folders)
        self.session = session
        self._relations: dict[str, Relation] = {}
        self._counts: dict[str, int] = {}
        self._plan = Plan(self._relations, super().types_of)
        self._local = False

    def __enter__(self) -> SparkDatabase:
        super().__enter__()
        self._held = ExitStack()
        return self

    def __exit__(self, *exception: object) -> None:
        try:
            # A Spark that has ended can be told nothing more, and what ended it is what has to be said.
            with suppress(Exception) if exception[0] is not None else nullcontext():
                self._held.close()
        finally:
            super().__exit__(*exception)

    @contextmanager
    def locally(self) -> Iterator[None]:
        """Statements of this block mean tables with rows, in DuckDB on this machine: files and frames being read."""
        self._local = True
        try:
            yield
        finally:
            self._local = False

    @contextmanager
    def _room(self) -> Iterator[None]:
        with super()._room():
            try:
                yield
            except Exception as error:
                if has_ended(error) or not of_spark(error):
                    raise
                told = told_by_worker(str(error))
                if told is not None:
                    raise duckdb.Error(told) from None
                raise

    @contextmanager
    def reading(self, label: str) -> Iterator[None]:
        with super().reading(label):
            try:
                yield
            except Exception as error:
                if has_ended(error) or not of_spark(error):
                    raise
                raise InputError(f"{label} cannot be read: Spark says: {first_line(error)}") from None

    def run(self, statement: str) -> None:
        super().run(statement)
        if self._local:
            return
        tree = parse_one(statement, dialect="duckdb")
        with self._room():
            if isinstance(tree, exp.Create) and tree.kind == "TABLE":
                self._create(tree)
            elif isinstance(tree, exp.Create) and tree.kind == "VIEW":
                self._relations[tree.this.name] = tree.expression
            elif isinstance(tree, exp.Insert):
                self._insert(tree)
            else:
                raise NotImplementedError(f"no plan for {statement[:200]}")

    def _create(self, tree: exp.Create) -> None:
        name = tree.find(exp.Table).name  # type: ignore[union-attr]
        if tree.expression is None:
            types = self.types(name)
            layout = ", ".join(f"c{k} {spark_type(kind)}" for k, kind in enumerate(types.values()))
            self._hold(name, Frame.of(self.session.createDataFrame([], layout), list(types), list(types.values())))
            return
        query = tree.expression
        if query.args.get("order") and not query.args.get("limit"):
            query.set("order", None)  # rows of a table have no order; whoever wants one asks for it
        self._hold(name, self._plan.frame(query))

    def _hold(self, name: str, frame: Frame) -> None:
        """Works rows out once and keeps them on the workers, in memory or on their disks."""
        types = self.types(name)
        rows = frame.worked_out().persist()
        self._held.callback(rows.unpersist)
        self._know(name, int(rows.count()))
        self._relations[name] = Frame.of(rows, list(types), list(types.values()))

    def _insert(self, tree: exp.Insert) -> None:
        name = tree.this.name
        before, more = self._relations[name], self._plan.frame(tree.expression)
        if not isinstance(before, Frame):
            raise NotImplementedError(f"{name} is no table")
        rows = more.worked_out().persist()
        self._held.callback(rows.unpersist)
        self._know(name, self._counts[name] + int(rows.count()))
        # by place, and in the types of the table
        rows = rows.selectExpr(*(f"CAST(c{k} AS {spark_type(kind)}) AS c{k}" for k, kind in enumerate(before.types)))
        self._relations[name] = Frame.of(before.data.unionAll(rows), before.names, before.types)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        if self._local:
            return super().rows(query)
        return self._collected(query, lambda result: result.fetchall())

    def arrow(self, query: str) -> pa.Table:
        if self._local:
            return super().arrow(query)
        return self._collected(query, lambda result: result.to_arrow_table())

    def _collected(self, query: str, take: Callable[[Any], Any]) -> Any:
        """The result of a query, in DuckDB's own types."""
        with self._room():
            frame = self._plan.frame(query)
            data = frame.data if frame.whole else frame.worked_out()
            names, types = (frame.held, frame.held_types) if frame.whole else (frame.names, frame.types)
            arrived = data.toArrow()
            known = f"SELECT {stored_columns(names, types)} FROM {quoted(ARRIVING)}"
            self._duckdb.register(ARRIVING, arrived)
            try:
                return take(self._duckdb.sql(frame.sorted(frame.query(known) if frame.whole else known)))
            finally:
                self._duckdb.unregister(ARRIVING)

    def batches(self, expression: Any, rows: int) -> Iterator[pa.RecordBatch]:
        if self._local:
            yield from super().batches(expression, rows)
            return
        yield from self.fetch(expression).to_batches(rows)

    def fold(self, expression: Any, order: Sequence[str], per: int, fold: Fold[T]) -> list[T]:
        """Each worker folds the rows of its owners, in their order; only what comes of it leaves the worker.

        Parts of many rows come here one by one, as all of them together are more than Spark's driver takes by default.
        """
        import pyspark.sql.functions as F

        with self._room():
            frame = self._plan.frame(self.sql(expression))
            rows = frame.worked_out().toDF(*(f"n{k}" for k in range(len(frame.names)))).persist()
            try:
                count = int(rows.count())
                place = {name: f"n{k}" for k, name in enumerate(frame.names)}
                parts = max(1, min(self._parallelism(), count // _ROWS_WORTH_A_PART), -(-count // _FOLDED_ROWS))
                owner = F.expr(f"{place[order[0]]} div {per}")
                sorted_rows = rows.repartition(parts, owner).sortWithinPartitions(*(place[name] for name in order))
                named = sorted_rows.toDF(*frame.names)
                folded = named.mapInArrow(FoldRows(fold), "c0 binary")
                if count <= _FOLDED_ROWS:
                    return [fold.unpacked(part) for part in folded.toArrow()["c0"].to_pylist()]
                folded.persist()
                try:
                    folded.count()  # all parts at once, on the workers
                    return [fold.unpacked(part[0]) for part in folded.toLocalIterator()]
                finally:
                    folded.unpersist()
            finally:
                rows.unpersist()

    def _workers_are_here(self) -> bool:
        """Whether what is in this machine's files need not travel."""
        return str(self.session.conf.get("spark.master", "")).startswith("local")

    def _file_of(self, rows: pa.Table) -> str:
        path = self.folder / self.new_name("sent")
        path.write_bytes(bytes_of(rows))
        return str(path)

    def _parallelism(self) -> int:
        context = getattr(self.session, "_sc", None)  # a session of Spark Connect has none
        return int(context.defaultParallelism) if context is not None else 8

    def store(self, name: str, source: Any, columns: Sequence[str] | None = None, whole: str | None = None) -> Any:
        if self._local:
            return super().store(name, source, columns, whole)
        with self.locally():
            table = super().store(name, source.slice(0, 0), columns, whole)
        types = self.types(name)
        self._relations[name] = self.sent(source, types)
        self._know(name, source.num_rows)
        return table

    def sent(self, source: pa.Table, types: dict[str, str]) -> Frame:
        """Rows of the driver, sent to Spark.

        Args:
            source: The rows.
            types: DuckDB's types of their columns, by name.
        """
        self._duckdb.register(ARRIVING, source)
        try:
            stored = self._duckdb.sql(f"SELECT {stored_columns(types, list(types.values()), to=True)} FROM {ARRIVING}")
            rows = stored.to_arrow_table()
        finally:
            self._duckdb.unregister(ARRIVING)
        here = rows if rows.nbytes <= _SMALL_BYTES else None
        names, kinds = list(types), list(types.values())
        with self._room():
            if not rows.num_rows:
                layout = ", ".join(f"c{k} {spark_type(kind)}" for k, kind in enumerate(kinds))
                return Frame.of(self.session.createDataFrame([], layout), names, kinds, here)
            parts = max(min(self._parallelism(), rows.nbytes // _PIECE_BYTES), -(-rows.nbytes // _MOST_PIECE_BYTES), 1)
            size = -(-rows.num_rows // parts)
            pieces = (rows.slice(first, size) for first in range(0, rows.num_rows, size))
            if self._workers_are_here():
                files = pa.table({"c0": [self._file_of(piece) for piece in pieces]})
                data = self.session.createDataFrame(files, "c0 string")
            else:  # a chunk becomes a part of Spark's: as many as there are pieces
                chunks = pa.chunked_array([pa.array([bytes_of(piece)], pa.binary()) for piece in pieces])
                data = self.session.createDataFrame(pa.table({"c0": chunks}), "c0 binary").persist()
                self._held.callback(data.unpersist)
        return Frame.of_pieces(data if parts > 1 else data.coalesce(1), names, kinds, here)

    def add(self, name: str, frame: Frame, count: int) -> None:
        """Takes rows in Spark as a table.

        Args:
            name: A name that is not taken.
            frame: The rows.
            count: How many there are.
        """
        columns = ", ".join(f"{quoted(column)} {kind}" for column, kind in zip(frame.names, frame.types))
        super().run(f"CREATE TABLE {quoted(name)} ({columns})")
        self._relations[name] = frame
        self._know(name, count)

    def lay_over(self, name: str, query: str, base: str, reads: Mapping[str, Collection[str]]) -> None:
        super().run(f"CREATE VIEW {name} AS {query}")
        self._relations[name] = LaidOver(base, query, reads, self.types(name))

    def _know(self, name: str, count: int) -> None:
        """Keeps a table's number of rows, and makes more parts where there are many."""
        self._counts[name] = count
        conf, parts = self.session.conf, -(-count // _SHUFFLED_ROWS)
        if conf.get(SIZES_PARTS, "false") == "true" and parts > int(conf.get(_PARTS)):
            conf.set(_PARTS, str(parts))

    def count(self, name: str) -> int:
        if self._local:
            return super().count(name)
        if name not in self._counts:
            self._counts[name] = int(self.rows(f"SELECT count(*) FROM {quoted(name)}")[0][0])
        return self._counts[name]


def first_line(error: Exception) -> str:
    """What an error of Spark says, without its trace."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    told = next((line for line in lines if re.match(r"(Caused by: )?[\w.]*(Exception|Error): ", line)), None)
    return (lines[0] if told is None else re.sub(r"^Caused by: ", "", told))[:300] if lines else type(error).__name__
