"""What runs in the Python processes of Spark's workers: DuckDB over Arrow batches, and the packing of events."""

from __future__ import annotations

import gc
import itertools
import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any
from zipimport import zipimporter

import duckdb
import pyarrow as pa

from gdsfd._version import __version__

if TYPE_CHECKING:
    from gdsfd.cohort.sources.database import Fold

__all__ = ["ARRIVING", "FoldRows", "MapRows", "bytes_of", "told_by_worker"]

ARRIVING = "__gdsfd_arriving"  #: what a worker's query reads
_MARK = "gdsfd, on a worker: "
_PIECE_ROWS = 1 << 17


class MapRows:
    """Runs a DuckDB query over the rows of a partition, for ``mapInArrow``.

    The query reads :data:`ARRIVING` once. It reaches no file and no network.

    Args:
        query: The query; its columns must be of types that Spark has.
        beside: Small tables that it reads, too, by name.
        packed: Whether the rows arrive in pieces, each the bytes of a table (:func:`bytes_of`) or the path of a file
            with these.
    """

    def __init__(self, query: str, beside: Mapping[str, pa.Table] | None = None, packed: bool = False) -> None:
        self.query = query
        self.beside = {name: bytes_of(table) for name, table in (beside or {}).items()}
        self.packed = packed
        self.version = __version__

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        _check_version(self.version)
        given = iter(batches)
        arriving = _unpacked(given) if self.packed else given
        first = next(arriving, None)
        if first is None:
            return
        connection = _database().cursor()
        try:
            rows = pa.RecordBatchReader.from_batches(first.schema, itertools.chain([first], arriving))
            connection.register(ARRIVING, rows)
            for name, table in self.beside.items():
                connection.register(name, pa.ipc.open_stream(table).read_all())
            yield from _pieces(connection.sql(self.query))
            for _ in given:  # Spark ends a process that leaves rows unread, and starts another
                pass
        except duckdb.Error as error:
            raise RuntimeError(f"{_MARK}{json.dumps(str(error))}") from None
        finally:
            connection.close()
            _forget_archives()


class FoldRows:
    """Folds the sorted rows of a partition into one row of bytes, for ``mapInArrow``.

    Args:
        fold: What becomes of the rows.
    """

    def __init__(self, fold: Fold[Any]) -> None:
        self.fold = fold
        self.version = __version__

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        _check_version(self.version)
        yield pa.RecordBatch.from_pydict({"c0": pa.array([self.fold.packed(self.fold(batches))], pa.binary())})
        _forget_archives()


def told_by_worker(message: str) -> str | None:
    """What DuckDB said on a worker, out of the message of Spark's error; None where the error is another.

    Args:
        message: Spark's message.

    Example:
        >>> told_by_worker('... RuntimeError: gdsfd, on a worker: "Conversion Error: no number"\\n ...')
        'Conversion Error: no number'
    """
    found = re.search(re.escape(_MARK) + r'("(?:[^"\\]|\\.)*")', message)
    return None if found is None else str(json.loads(found[1]))


def bytes_of(table: pa.Table) -> bytes:
    """A table as the bytes of an Arrow stream.

    Args:
        table: The table.
    """
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue())


@cache
def _database() -> duckdb.DuckDBPyConnection:
    """This process's database, without tables; each query has a connection of its own."""
    database = duckdb.connect(":memory:", config={"threads": 1, "enable_external_access": False})
    database.execute("SET GLOBAL TimeZone = 'UTC'")  # as in the build's own database
    # How many rows arrive is not known, so that a join would hold these and look up in them what is few and at hand.
    database.execute("SET GLOBAL disabled_optimizers = 'build_side_probe_side'")
    database.execute("SET lock_configuration = true")
    gc.freeze()  # PySpark collects garbage after each task: not among all the modules that are loaded by now
    return database


def _forget_archives() -> None:
    """Saves a tenth of a second per task: before each one PySpark lets Python read the contents of all archives anew
    that it has looked for modules in. Those forgotten are read when something is imported.
    """
    for path, finder in [*sys.path_importer_cache.items()]:
        if isinstance(finder, zipimporter):
            del sys.path_importer_cache[path]


def _unpacked(pieces: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in pieces:
        for piece in batch.column(0):
            in_file = pa.types.is_string(piece.type)
            yield from pa.ipc.open_stream(pa.memory_map(piece.as_py()) if in_file else piece.as_buffer())


def _check_version(version: str) -> None:
    if version != __version__:
        raise RuntimeError(
            f"gdsfd {version} builds, but a Spark worker has gdsfd {__version__}: install the same there"
        )


def _pieces(relation: Any) -> Iterator[pa.RecordBatch]:
    # DuckDB 1.x has only fetch_record_batch, DuckDB 2 prefers to_arrow_reader
    read = relation.to_arrow_reader if hasattr(relation, "to_arrow_reader") else relation.fetch_record_batch
    yield from read(_PIECE_ROWS)
