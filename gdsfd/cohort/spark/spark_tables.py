"""Sources as base tables in Spark: Parquet and catalogues by its workers, other files and frames by this machine."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any
from urllib.parse import unquote, urlsplit

from gdsfd.cohort.sources.base_tables import DUPLICATES_UP_TO_ROWS, BaseTable, BaseTables
from gdsfd.cohort.sources.column_names import checked_names
from gdsfd.cohort.sources.files import FileSet
from gdsfd.cohort.sources.internal_names import POSITION, check_names
from gdsfd.cohort.sources.parquet_columns import parquet_columns
from gdsfd.cohort.sources.path_variables import expand_variables
from gdsfd.cohort.sources.remote_source import TABLE, is_remote
from gdsfd.cohort.sources.sql_text import quoted
from gdsfd.cohort.spark.frame import Frame, places
from gdsfd.cohort.spark.spark_database import SparkDatabase
from gdsfd.cohort.spark.stored_types import duckdb_type

__all__ = ["SparkTables"]

_FILE, _ROW = "__gdsfd_file", "__gdsfd_row_of_file"
_GLOB, _ESCAPED = re.compile(r"([*?\[\]{}\\])"), r"\\\1"  # Spark takes these in a path for a pattern
#: Unit that a Parquet file counts durations in -> Spark's SQL of their microseconds.
_MICROSECONDS = {"s": "{0} * 1000000", "ms": "{0} * 1000", "us": "{0}", "ns": "{0} div 1000"}
_PARTITION = re.compile(r"[/\\][^/\\=]+=[^/\\]*[/\\]")


class SparkTables(BaseTables):
    """Opens each source once.

    What Spark can reach is read by its workers: Parquet files, folders and URLs, tables of its catalogue, Spark
    DataFrames. CSV files, pandas' DataFrames and Arrow tables are read here by DuckDB, with all that it checks, and
    handed on.

    Args:
        database, base_dir, needs: As in :class:`~gdsfd.cohort.sources.base_tables.BaseTables`.
    """

    database: SparkDatabase

    def open(self, source: Any, what: str, in_order: bool = False) -> BaseTable:
        if is_remote(source):
            key: Any = (source, in_order)
            if key not in self._opened:
                self._opened[key] = self._remote(source, in_order)
            return self._opened[key]
        if type(source).__module__.startswith("pyspark.sql"):
            key = (id(source), in_order)
            if key not in self._opened:
                label = f"the Spark {type(source).__name__} of {what}"
                with self.database.reading(label):
                    self._opened[key] = self._catalogued(source, label, "<DataFrame>", in_order, source)
            return self._opened[key]
        return super().open(source, what, in_order)

    def _csv(self, files: FileSet) -> BaseTable:
        with self.database.locally():
            read = super()._csv(files)
        return self._handed_on(read)

    def _of_database(self, source: str) -> BaseTable:
        with self.database.locally():
            read = super()._of_database(source)
        return self._handed_on(read)

    def _python(self, source: Any, what: str) -> BaseTable:
        with self.database.locally():
            read = super()._python(source, what)
        return self._handed_on(read)

    def _handed_on(self, read: BaseTable) -> BaseTable:
        """A table of this machine's DuckDB, with its rows numbered, as one of Spark's."""
        columns = ", ".join(quoted(column) for column in read.types)
        with self.database.locally():
            rows = self.database.arrow(f"SELECT {columns}, {read.row_number} AS {POSITION} FROM {read.name}")
        name = self.database.new_name("handed_on")
        frame = self.database.sent(rows, {**read.types, POSITION: "BIGINT"})
        self.database.add(name, frame, read.rows)
        with self.database.locally():
            self.database.run(f"DROP TABLE {read.name}")
        return replace(read, name=name, row_number=POSITION)

    def _parquet(self, files: FileSet, in_order: bool) -> BaseTable:
        head = parquet_columns(files)
        self.blank_columns.add(files, set(self._wanted(head.names, files)))
        with self.database.reading(files.label):
            reader = self.database.session.read.option("mergeSchema", "true")
            partition = _PARTITION.search(files.paths[0])
            if partition:
                reader = reader.option("basePath", files.paths[0][: partition.start()])
            data = reader.parquet(*(f"file://{_GLOB.sub(_ESCAPED, path)}" for path in files.paths))
            return self._files(data, head.names, files.label, files.names, files, head.durations)

    def _remote(self, source: str, in_order: bool) -> BaseTable:
        written = expand_variables(source)
        with self.database.reading(source):
            if written.startswith(TABLE):
                name = written.removeprefix(TABLE)
                return self._catalogued(self.database.session.table(name), name, name, in_order, source)
            data = self.database.session.read.option("mergeSchema", "true").parquet(written)
            return self._files(data, data.columns, source, (source,), source)

    def _files(
        self,
        data: Any,
        names: Sequence[str],
        label: str,
        files: tuple[str, ...],
        meant: FileSet | str,
        durations: Mapping[str, str] = MappingProxyType({}),
    ) -> BaseTable:
        """Parquet: a row's position runs through the files in the order of their names."""
        import pyspark.sql.functions as F

        given = checked_names([*names, *data.columns[len(names) :]], label)
        check_names(given, label)
        rows = data.select("*", F.col("_metadata.file_path").alias(_FILE), F.col("_metadata.row_index").alias(_ROW))
        per_file = rows.groupBy(_FILE).count().toArrow().to_pylist()
        first, before = {}, 0
        for entry in sorted(per_file, key=lambda entry: _path(entry[_FILE])):
            first[entry[_FILE]] = before
            before += entry["count"]
        if len(first) == 1:
            offset = F.lit(0)
        else:
            pairs = self.database.session.createDataFrame(list(first.items()), f"{_FILE} string, first bigint")
            rows = rows.join(F.broadcast(pairs), _FILE)
            offset = F.col("first")
        numbered = rows.select(
            *(F.col(f"`{name.replace('`', '``')}`") for name in data.columns), (F.col(_ROW) + offset)
        )
        wanted = self._wanted(given, meant) if isinstance(meant, FileSet) else self._wanted(given, source=meant)
        units = dict(zip(given, map(durations.get, names)))
        return self._table(numbered, given, wanted, label, files, before, units=units)

    def _catalogued(self, data: Any, label: str, file: str, in_order: bool, source: Any) -> BaseTable:
        """Rows without an order of their own: those of the cohort get one by what is in them, others any number."""
        import pyspark.sql.functions as F
        from pyspark.sql import Window

        names = checked_names(data.columns, label)
        check_names(names, label)
        plain = data.toDF(*places(len(names)))
        wanted = self._wanted(names, source=source)
        used = [f"c{k}" for k, name in enumerate(names) if name in set(wanted)]
        if in_order:
            number = F.row_number().over(Window.orderBy(*used)).cast("bigint") - 1
        else:
            number = F.monotonically_increasing_id()
        duplicates = self._repeated(plain)
        # The numbers must not change while the build lasts, so the rows are fixed on the workers.
        numbered = plain.select(*used, number.alias("position")).localCheckpoint()
        kept = [name for name in names if name in set(wanted)]
        base = self._table(numbered, kept, kept, label, (file,), int(numbered.count()), duplicates)
        return replace(base, columns=names)

    def _table(
        self,
        numbered: Any,
        names: Sequence[str],
        wanted: Sequence[str],
        label: str,
        files: tuple[str, ...],
        rows: int,
        duplicates: int | None = -1,
        units: Mapping[str, str | None] = MappingProxyType({}),
    ) -> BaseTable:
        """A table of columns and, last, the positions of rows; whole numbers with a unit become durations."""
        import pyspark.sql.functions as F

        plain = numbered.toDF(*places(len(names)), "position")
        if duplicates == -1:
            duplicates = self._repeated(plain.drop("position"))
        kept, types, columns = [], {}, []
        for k, name in enumerate(names):
            if name not in set(wanted):
                continue
            kind = duckdb_type(plain.schema[k].dataType)
            cell = F.col(f"c{k}")
            unit = units.get(name)
            if unit:
                kind, cell = "INTERVAL", F.concat(F.expr(_MICROSECONDS[unit].format(f"c{k}")), F.lit(" microseconds"))
            columns.append(cell if kind is not None else _as_text(cell, plain.schema[k].dataType))
            kept.append(name)
            types[name] = kind or "VARCHAR"
        data = plain.select(*columns, F.col("position").cast("bigint"))
        name = self.database.new_name("table")
        self.database.add(name, Frame.of(data, [*kept, POSITION], [*types.values(), "BIGINT"]), rows)
        return BaseTable(name, types, tuple(names), label, files, rows, POSITION, duplicates)

    def _repeated(self, data: Any) -> int | None:
        """Rows that repeat another in full; None = too many rows to count them."""
        import pyspark.sql.functions as F

        total = data.count()
        if total > DUPLICATES_UP_TO_ROWS:
            return None
        cells = []
        for field in data.schema:
            cell = F.col(field.name)
            cells += [cell if duckdb_type(field.dataType) else _as_text(cell, field.dataType), cell.isNull()]
        # Spark leaves nulls out of a hash, hence the flags.
        different = data.select(F.xxhash64(*cells).alias("row")).agg(F.countDistinct("row")).toArrow()
        return int(total - different.column(0)[0].as_py())


def _as_text(cell: Any, kind: Any) -> Any:
    """A column of a type that DuckDB has not: nested ones as JSON, others as Spark writes them."""
    import pyspark.sql.functions as F

    nested = kind.typeName() in ("struct", "map", "array")
    return F.to_json(cell) if nested else cell.cast("string")


def _path(uri: str) -> str:
    return unquote(urlsplit(uri).path)
