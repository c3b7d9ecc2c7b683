"""The columns of Parquet files: their names as they were written, and which are durations."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq

from gdsfd.cohort.sources.file_kind import file_kind
from gdsfd.cohort.sources.files import FileSet
from gdsfd.errors import InputError, shown

__all__ = ["DURATIONS", "ParquetColumns", "parquet_columns"]

#: Unit that a Parquet file counts durations in -> DuckDB's SQL of the duration, over the column's SQL.
DURATIONS = {
    "s": "to_seconds({0})",
    "ms": "to_milliseconds({0})",
    "us": "to_microseconds({0})",
    "ns": "to_microseconds({0} // 1000)",
}


@dataclass(frozen=True)
class ParquetColumns:
    """The columns of the first file, which the others have, too.

    Args:
        names: Their names; DuckDB renames those that differ only in case.
        durations: Column -> unit, of :data:`DURATIONS`. Parquet has no type for them: pandas and Arrow write whole
            numbers, and what these count beside the data, where DuckDB and Spark do not look.
    """

    names: list[str]
    durations: dict[str, str]


def parquet_columns(files: FileSet) -> ParquetColumns:
    """What the heads of Parquet files say of their columns.

    Args:
        files: The files of one source.

    Raises:
        InputError: A file is not Parquet, is damaged, or has other columns than the first; or the times of a column
            have a zone in one file and none in another; or its durations are of another unit in one, or numbers.
    """
    first: list[str] = []
    durations: dict[str, str] = {}
    zoned: dict[str, tuple[bool, str]] = {}
    for path, name in zip(files.paths, files.names):
        file_kind(path, name)
        try:
            schema = pq.ParquetFile(path).schema_arrow
        except (pa.ArrowException, OSError) as error:
            raise InputError(
                f"{name} cannot be read: the Parquet file breaks off or is damaged ({str(error)[:160]}); copy it again"
            ) from None
        names = list(schema.names)
        here = {field.name: field.type.unit for field in schema if pa.types.is_duration(field.type)}
        if not first:
            first, durations = names, here
        for column in (field for field in schema if pa.types.is_timestamp(field.type)):
            zone = column.type.tz is not None
            if zoned.setdefault(column.name, (zone, name))[0] != zone:
                raise InputError(
                    f"{name} and {zoned[column.name][1]}: the times of column {column.name!r} have a zone in one and "
                    "none in the other; write them alike"
                )
        if sorted(names) != sorted(first):
            differing = sorted(set(names) ^ set(first))
            raise InputError(
                f"{name} and {files.names[0]} differ in columns {shown(differing)}; one source needs one layout"
            )
        other = [column for column in first if here.get(column) != durations.get(column)]
        if other:
            counted = [f"in {unit}" if unit else "not" for unit in (here.get(other[0]), durations.get(other[0]))]
            raise InputError(
                f"{name} and {files.names[0]}: column {other[0]!r} holds durations, counted {counted[0]} in the one "
                f"and {counted[1]} in the other; write them alike"
            )
    return ParquetColumns(first, durations)
