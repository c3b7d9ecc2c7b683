"""The embedded DuckDB database of one build, seen through Ibis."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Protocol, TypeVar

import duckdb
import ibis
import pyarrow as pa

from gdsfd.atomic_write import place_is_full
from gdsfd.cohort.sources.sql_text import quoted
from gdsfd.errors import InputError
from gdsfd.large_arrays import memory_left
from gdsfd.private_folder import private_folder, remove_dead_folders

__all__ = ["Database", "Fold"]

#: What the database may hold in memory: so much, or a share of what is left where that is less.
_MOST_BYTES, _LEAST_BYTES, _SHARE = 3 << 29, 1 << 28, 4
_PIECE_ROWS = 1 << 20  #: of what is folded, at a time


T = TypeVar("T")


class Fold(Protocol[T]):
    """Makes something of sorted rows, here or on another machine."""

    def __call__(self, batches: Iterable[pa.RecordBatch], folder: Path | None = None) -> T:
        """What becomes of rows; what is too large for memory lies in ``folder`` (:mod:`gdsfd.large_arrays`)."""

    def packed(self, folded: T) -> bytes:
        """The same as bytes."""

    def unpacked(self, packed: bytes | bytearray | memoryview) -> T:
        """And back."""


class Database:
    """A temporary on-disk database that goes when its block ends.

    Tables live on disk and large sorts spill beside them, so memory stays bounded whatever the size of the exports.
    Statements are Ibis expressions wherever the user's own SQL is not involved. The database reads no file but those it
    is told, and only the user can read its folder.

    Args:
        scratch: Folder that the database's own folder is made in; default: a private one among the system's temporary
            files.
        files: Files that may be read.
        folders: Folders whose files may be read.

    Attributes:
        folder: Where the database lies while it is open; what else is put there goes with it.

    Example:
        >>> with Database() as database:
        ...     stored = database.store("labs", pa.table({"wbc": [4.0, 6.0]}))
        ...     database.fetch(stored.aggregate(mean=stored.wbc.mean())).to_pylist()
        [{'mean': 5.0}]
    """

    def __init__(self, scratch: Path | None = None, files: Sequence[str] = (), folders: Sequence[str] = ()) -> None:
        self._scratch, self._files, self._folders = scratch, list(files), list(folders)

    def __enter__(self) -> Database:
        self._names = 0
        remove_dead_folders()  # also where the database itself lies elsewhere
        with ExitStack() as stack:
            scratch = self._scratch or stack.enter_context(private_folder("cohort"))
            self.folder = scratch / "database"
            self.folder.mkdir(0o700)
            stack.callback(shutil.rmtree, self.folder, ignore_errors=True)
            with self._room():
                self.ibis = ibis.duckdb.connect(
                    str(self.folder / "cohort.duckdb"),
                    memory_limit=f"{max(min(_MOST_BYTES, memory_left() // _SHARE), _LEAST_BYTES) >> 20}MiB",
                    temp_directory=str(self.folder / "spill"),
                    autoinstall_known_extensions=False,
                    autoload_known_extensions=False,
                    allow_community_extensions=False,
                    # It compares every expression of a statement with every other: minutes for a thousand columns.
                    disabled_optimizers="common_subexpressions",
                )
            stack.callback(self.ibis.disconnect)
            self._duckdb = self.ibis.con
            self._duckdb.execute("SET TimeZone = 'UTC'")  # what a time means must not depend on the machine
            # DuckDB's own bar is on in some consoles and notebooks; a notebook without ipywidgets refuses the setting.
            if self._duckdb.execute("SELECT current_setting('enable_progress_bar')").fetchone() == (True,):
                self._duckdb.execute("SET enable_progress_bar = false")
            self._duckdb.execute("PRAGMA disable_checkpoint_on_shutdown")  # the file is about to be deleted
            # Users' SQL is admitted only as an expression over a row; should anything slip through, it finds all doors
            # locked: no other file, no network, no extension, and no way to change that.
            self._duckdb.execute("SET allowed_paths = ?", [self._files])
            self._duckdb.execute("SET allowed_directories = ?", [[str(self.folder), *self._folders]])
            self._duckdb.execute("SET enable_external_access = false")
            self._duckdb.execute("SET lock_configuration = true")
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stack.close()

    @contextmanager
    def reading(self, label: str) -> Iterator[None]:
        """Turns what DuckDB says while it reads a source into an InputError that names the source.

        Args:
            label: The source in a word.
        """
        with self._room():
            try:
                yield
            except duckdb.Error as error:
                if place_is_full(error) is not None:
                    raise
                raise InputError(_explained(str(error), label)) from None

    @contextmanager
    def _room(self) -> Iterator[None]:
        """A full disk is told as what it is, not as a fault of the source that was read meanwhile."""
        try:
            yield
        except (duckdb.Error, OSError) as error:
            reason = place_is_full(error)
            if reason is None:
                raise
            raise InputError(
                f"the exports cannot be read: {self.folder.parent.parent}, where the database of the build lies, says: "
                f"{reason}; free space there, or choose another place (--out, or TMPDIR for the Python functions)"
            ) from None

    def run(self, statement: str) -> None:
        """Runs a SQL statement for its effect."""
        with self._room():
            self._duckdb.execute(statement)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Runs a SQL query and returns its rows."""
        with self._room():
            return self._duckdb.execute(query).fetchall()

    def arrow(self, query: str) -> pa.Table:
        """Runs a SQL query and returns Arrow."""
        with self._room():
            return self._duckdb.sql(query).to_arrow_table()

    def sql(self, expression: Any) -> str:
        """The SQL of an Ibis expression."""
        return str(self.ibis.compile(expression))

    def fetch(self, expression: Any) -> pa.Table:
        """Runs an Ibis table expression."""
        return self.arrow(self.sql(expression))

    def batches(self, expression: Any, rows: int) -> Iterator[pa.RecordBatch]:
        """Runs an Ibis table expression and hands out its result piece by piece, in order.

        Args:
            expression: The expression.
            rows: Rows per piece, about.
        """
        relation = self._duckdb.sql(self.sql(expression))
        # DuckDB 1.x has only fetch_record_batch, DuckDB 2 prefers to_arrow_reader
        yield from (
            relation.to_arrow_reader(rows)
            if hasattr(relation, "to_arrow_reader")
            else relation.fetch_record_batch(rows)
        )

    def store(self, name: str, source: Any, columns: Sequence[str] | None = None, whole: str | None = None) -> Any:
        """Copies an Arrow table or reader into the database and returns it as an Ibis table.

        Args:
            name: A name that is not taken.
            source: What to store.
            columns: Columns that are stored; default: all.
            whole: Name of a further column with a number that stands for the whole row, all columns of it.
        """
        selected = "*" if columns is None else ", ".join(map(quoted, columns))
        number = "" if whole is None else f", hash({quoted(whole)}) AS {quoted(whole)}"
        alias = "" if whole is None else quoted(whole)
        incoming = f"{name} incoming"
        self._duckdb.register(incoming, source)
        try:
            self.run(f"CREATE TABLE {quoted(name)} AS SELECT {selected}{number} FROM {quoted(incoming)} {alias}")
        finally:
            self._duckdb.unregister(incoming)
        return self.ibis.table(name)

    def view(self, expression: Any) -> Any:
        """An Ibis table expression as a view: what is asked of it later is a short statement, fast to write."""
        name = self.new_name("view")
        self.run(f"CREATE VIEW {name} AS {self.sql(expression)}")
        return self.table(name)

    def lay_over(self, name: str, query: str, base: str, reads: Mapping[str, Collection[str]]) -> None:
        """A view that works out columns of each row of a table by itself.

        Args:
            name: Its name.
            query: The view's query, one SELECT in another, the innermost of the table.
            base: The table.
            reads: For each column of the view the columns of the table that it depends on.
        """
        self.run(f"CREATE VIEW {name} AS {query}")

    def fold(self, expression: Any, order: Sequence[str], per: int, fold: Fold[T]) -> list[T]:
        """Sorts rows, and folds them piece by piece.

        Args:
            expression: The rows, an Ibis table expression.
            order: Columns to sort by. The whole numbers of the first, divided by ``per``, are the owners of the rows.
            per: Numbers per owner.
            fold: What becomes of sorted rows.

        Returns:
            What became of the rows, in one part or several; all rows of an owner are in one of them.
        """
        return [fold(self.batches(expression.order_by(*order), _PIECE_ROWS), self.folder)]

    def table(self, name: str) -> Any:
        """A table or view as an Ibis table."""
        return self.ibis.table(name)

    def types(self, name: str) -> dict[str, str]:
        """Columns of a table or view and their DuckDB types."""
        return self.types_of(f"FROM {quoted(name)}")

    def types_of(self, query: str) -> dict[str, str]:
        """Columns of a query and their DuckDB types; nothing of it is worked out."""
        with self._room():
            return {row[0]: str(row[1]) for row in self._duckdb.execute(f"DESCRIBE {query}").fetchall()}

    def check(self, query: str) -> None:
        """Has a query checked, its names and types, without working anything out.

        Raises:
            duckdb.Error: It is wrong.
        """
        with self._room():
            self._duckdb.execute(f"EXPLAIN {query}")

    def count(self, name: str) -> int:
        """Rows of a table or view."""
        return int(self.rows(f"SELECT count(*) FROM {quoted(name)}")[0][0])

    def new_name(self, kind: str) -> str:
        """A name that is not taken, ``kind`` and a number."""
        self._names += 1
        return f"{kind}_{self._names}"


def _explained(message: str, label: str) -> str:
    """DuckDB's message about a source, shortened to what happened, where, and what to do."""
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    at = next((f" at line {line.split('Line:')[1].strip()}" for line in lines if "CSV Error on Line:" in line), "")
    lowered = message.lower()
    if "gzip" in lowered:
        return f"{label}: the .gz file breaks off or is damaged ({lines[0]}); copy it again"
    if "not utf-8" in lowered or "invalid unicode" in lowered:
        return f"{label} is not UTF-8{at}; convert it, e.g. iconv -f LATIN1 -t UTF-8 OLD > NEW"
    if "state machine reached an invalid state" in lowered:
        return f"{label}: some lines end with \\r\\n and others with \\n; make them alike, e.g. tr -d '\\r' < OLD > NEW"
    if "expected number of columns" in lowered:
        counts = next(line for line in lines if "Expected Number of Columns" in line)
        counts = counts[0].lower() + counts[1:]
        return f"{label}{at}: {counts}; a row has too many or too few fields (an unquoted delimiter?)"
    if "unterminated quote" in lowered or "quote should be followed by" in lowered:
        return f"{label}{at}: a quoted value is not closed; close it, or double the quotes inside it"
    return f"{label}{at} cannot be read: {lines[0] if lines else message}"
