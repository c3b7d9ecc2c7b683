"""A source as a reader sees it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any

from gdsfd.cohort.columns.missing_codes import DeclaredMissing
from gdsfd.cohort.receipt.receipt import Finding
from gdsfd.cohort.schema import ModalityFields
from gdsfd.cohort.sources.base_tables import BaseTables, files_of
from gdsfd.cohort.sources.database import Database
from gdsfd.cohort.sources.joins import joined
from gdsfd.cohort.sources.user_sql import UserSql
from gdsfd.cohort.spec import JoinSpec, ModalitySpec
from gdsfd.cohort.spec.column_needs import ColumnNeeds, needs_of_modality
from gdsfd.cohort.spec.row_expression import row_expression
from gdsfd.errors import InputError, near_names

__all__ = ["Sources", "View"]


@dataclass(frozen=True)
class View:
    """A source with derived columns and the outcome of ``where``.

    Args:
        table: Its columns, cleaned, with :data:`~gdsfd.cohort.sources.internal_names.ROW` and
            :data:`~gdsfd.cohort.sources.internal_names.KEEP`.
        label: The source in a word, for messages.
        files: What the receipt lists.
        columns: Names of the source's columns, derived ones last. The table has those that were asked for.
        rows: Number of rows before any filter.
        duplicates: Rows that repeat another row in full.
        notes: For the receipt.
        durations: Columns that hold durations, which are read as minutes.
        narrowed: Gives the table with some of the columns only; see :meth:`narrow`.
    """

    table: Any
    label: str
    files: list[str]
    columns: tuple[str, ...]
    rows: int
    duplicates: int
    notes: tuple[str, ...] = ()
    durations: frozenset[str] = frozenset()
    narrowed: Callable[[Sequence[str]], Any] | None = None

    @cached_property
    def types(self) -> Mapping[str, Any]:
        """The columns' Ibis types."""
        return dict(self.table.schema().items())

    def narrow(self, columns: Sequence[str]) -> View:
        """The same source with some columns only in its table: statements over thousands of columns are slow.

        Args:
            columns: Names of columns that are there.
        """
        return self if self.narrowed is None else replace(self, table=self.narrowed(columns))

    def require(self, column: str, field: str) -> str:
        """The column's name, once it is known to be there.

        Args:
            column: Name as the user wrote it.
            field: The spec's field that names it, for the message.

        Raises:
            InputError: There is no such column; the message suggests near names.
        """
        if column not in self.columns:
            raise InputError(f"{self.label} has no column {column!r} ({field}).{near_names(column, self.columns)}")
        return column


class Sources:
    """The sources of one build; to be used in a ``with`` block, after which its database is gone.

    Args:
        base_dir: Folder that relative paths start from.
        needs: What each source is asked for; no other file can be read. Default: everything, of files in ``base_dir``.
        scratch: Where the database lies (:class:`~gdsfd.cohort.sources.database.Database`).
        show_ids: Whether notes and warnings for the receipt may name patients and persons.
        engine: What the rows go through: ``"duckdb"``, on this machine; ``"spark"``; or a Spark session.
        master: Of Spark (:func:`~gdsfd.cohort.spark.session.spark_session`).

    Attributes:
        findings: Warnings that readers have while they read, for the receipt.
        declared_missing: What modalities declare missing, and whether any cell has it.

    Example:
        >>> import pandas as pd
        >>> with Sources(Path()) as sources:
        ...     view = sources.open(pd.DataFrame({"id": ["001"], "wbc": [4.5]}), "modality 'labs'")
        ...     view.rows, view.columns
        (1, ('id', 'wbc'))
    """

    def __init__(
        self,
        base_dir: Path,
        needs: dict[Any, ColumnNeeds] | None = None,
        scratch: Path | None = None,
        show_ids: bool = False,
        engine: Any = "duckdb",
        master: str | None = None,
    ) -> None:
        self.show_ids = show_ids
        self.findings: list[Finding] = []
        self.declared_missing = DeclaredMissing()
        base_dir = Path(base_dir).absolute()
        self._may_read: dict[str, Any] = (
            {"folders": [str(base_dir)]} if needs is None else {"files": files_of(needs, base_dir)}
        )
        self._scratch, self._base_dir, self._needs = scratch, base_dir, needs or {}
        self._engine, self._master = engine, master

    def __enter__(self) -> Sources:
        with ExitStack() as stack:
            if self._engine == "duckdb":
                self.database = Database(self._scratch, **self._may_read)
                self._tables = BaseTables(self.database, self._base_dir, self._needs)
            else:
                from gdsfd.cohort.spark.session import spark_session
                from gdsfd.cohort.spark.spark_database import SparkDatabase
                from gdsfd.cohort.spark.spark_tables import SparkTables

                session = stack.enter_context(spark_session(self._engine, self._master))
                self.database = SparkDatabase(session, self._scratch, **self._may_read)
                self._tables = SparkTables(self.database, self._base_dir, self._needs)
            stack.enter_context(self.database)
            self._sql = UserSql(self.database)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def open(
        self,
        source: Any,
        what: str,
        *,
        derive: Mapping[str, str] | None = None,
        where: str | None = None,
        joins: Sequence[JoinSpec] = (),
        in_order: bool = False,
        people: Collection[str | None] = (),
        needs: ColumnNeeds | None = None,
    ) -> View:
        """Opens a source and lays the user's SQL over it.

        Args:
            source: Path, glob, DataFrame, Arrow table or Ibis table.
            what: Where the spec names it, for messages: ``"modality 'labs'"``.
            derive: New columns, name -> SQL.
            where: SQL filter; rows stay, a column says which pass.
            joins: Look-ups put beside the rows; they need ``in_order``.
            in_order: Whether row numbers must run through several Parquet files.
            people: Columns that name patients or persons.
            needs: The columns that the table shall have; default: all that the spec can use.

        Raises:
            InputError: The source cannot be read, or has not the columns named.
            SpecError: The SQL is wrong, or an environment variable of the path is not set.
        """
        base = self._tables.open(source, what, in_order)
        notes = () if base.duplicates is not None else ("fully repeated rows were not counted: the source is large",)
        beside, told, findings = joined(base, joins, self._tables, self._sql, what, None if self.show_ids else people)
        self.findings += findings
        if needs is not None:
            among = frozenset(beside.columns)
            wanted = {name: kind for name, kind in beside.types.items() if needs.wants(name, among)}
            beside = replace(beside, types=wanted)
        view, columns = self._sql.view(beside, derive or {}, where, what)
        self.findings += [Finding("spelling", what, text) for text in self._sql.respelled[view]]
        self.findings += [Finding("sql", what, text) for text in self._sql.absent[view]]
        table = self.database.table(view)
        columns = tuple(dict.fromkeys([*beside.columns, *columns]))
        expressions = [row_expression(text) for text in [*(derive or {}).values(), where] if text is not None]

        def narrowed(wanted: Sequence[str]) -> Any:
            kept = set(wanted)
            types = {
                column: kind
                for column, kind in beside.types.items()
                if column in kept or any(expression.reads(column) for expression in expressions)
            }
            return self.database.table(self._sql.view(replace(beside, types=types), derive or {}, where, what)[0])

        return View(
            table,
            base.label,
            list(base.files),
            columns,
            base.rows,
            base.duplicates or 0,
            (*notes, *told),
            durations=frozenset(name for name, kind in base.types.items() if kind == "INTERVAL").difference(
                derive or ()
            )
            | self._sql.durations[view],
            narrowed=narrowed,
        )

    def told_of_files(self) -> list[Finding]:
        """Warnings of the files that were read, for the receipt."""
        return [*self._tables.line_ends.findings(), *self._tables.blank_columns.findings()]

    def open_modality(self, modality: ModalitySpec, like: ModalityFields | None = None) -> View:
        """Opens a modality's source with all that its part of the spec says of the rows.

        Args:
            modality: The modality's part of the spec.
            like: The modality as an earlier cohort had it, whose columns are asked for.

        Raises:
            InputError: As :meth:`open`.
        """
        return self.open(
            modality.source,
            f"modality {modality.name!r}",
            derive=modality.derive,
            where=modality.where,
            joins=modality.join,
            in_order=bool(modality.join),
            people=(modality.id,),
            needs=needs_of_modality(modality, like),
        )
