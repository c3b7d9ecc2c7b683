"""The embedded DuckDB database of one build, seen through Ibis."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import ibis
import pyarrow as pa

from gdsfd.cohort.sql_text import quoted
from gdsfd.errors import InputError

__all__ = ["Database"]

_MEMORY_LIMIT_BYTES = 3 << 29


class Database:
    """A temporary on-disk database that goes when its block ends.

    Tables live on disk and large sorts spill beside them, so memory stays bounded whatever the size of the exports.
    Statements are Ibis expressions wherever the user's own SQL is not involved.

    Example:
        >>> with Database() as database:
        ...     stored = database.store("labs", pa.table({"wbc": [4.0, 6.0]}))
        ...     database.fetch(stored.aggregate(mean=stored.wbc.mean())).to_pylist()
        [{'mean': 5.0}]
    """

    def __enter__(self) -> Database:
        self._folder = tempfile.TemporaryDirectory(prefix="gdsfd-", ignore_cleanup_errors=True)
        self._names = 0
        self.ibis = ibis.duckdb.connect(
            os.path.join(self._folder.name, "cohort.duckdb"),
            memory_limit=f"{_MEMORY_LIMIT_BYTES >> 20}MiB",
            temp_directory=os.path.join(self._folder.name, "spill"),
            autoinstall_known_extensions=False,
        )
        self._duckdb = self.ibis.con
        self._duckdb.execute("SET TimeZone = 'UTC'")  # what a time means must not depend on the machine
        self._duckdb.execute("PRAGMA disable_checkpoint_on_shutdown")  # the file is about to be deleted
        return self

    @property
    def folder(self) -> Path:
        """Where the database lies; what else is written there goes with it."""
        return Path(self._folder.name)

    def __exit__(self, *exception: object) -> None:
        self.ibis.disconnect()
        self._folder.cleanup()

    @contextmanager
    def reading(self, label: str) -> Iterator[None]:
        """Turns what DuckDB says while it reads a source into an InputError that names the source.

        Args:
            label: The source in a word.
        """
        try:
            yield
        except duckdb.Error as error:
            raise InputError(_explained(str(error), label)) from None

    def run(self, statement: str) -> None:
        """Runs a SQL statement for its effect."""
        self._duckdb.execute(statement)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Runs a SQL query and returns its rows."""
        return self._duckdb.execute(query).fetchall()

    def sql(self, expression: Any) -> str:
        """The SQL of an Ibis expression."""
        return str(self.ibis.compile(expression))

    def fetch(self, expression: Any) -> pa.Table:
        """Runs an Ibis table expression."""
        return self._duckdb.sql(self.sql(expression)).to_arrow_table()

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

    def store(self, name: str, source: Any) -> Any:
        """Copies an Arrow table or reader into the database and returns it as an Ibis table.

        Args:
            name: A name that is not taken.
            source: What to store.
        """
        incoming = f"{name} incoming"
        self._duckdb.register(incoming, source)
        try:
            self.run(f"CREATE TABLE {quoted(name)} AS SELECT * FROM {quoted(incoming)}")
        finally:
            self._duckdb.unregister(incoming)
        return self.ibis.table(name)

    def table(self, name: str) -> Any:
        """A table or view as an Ibis table."""
        return self.ibis.table(name)

    def types(self, name: str) -> dict[str, str]:
        """Columns of a table or view and their DuckDB types."""
        return {row[0]: str(row[1]) for row in self.rows(f"DESCRIBE {quoted(name)}")}

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
