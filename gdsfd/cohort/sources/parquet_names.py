"""The names of Parquet columns as they were written."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq

from gdsfd.cohort.sources.file_kind import file_kind
from gdsfd.cohort.sources.files import FileSet
from gdsfd.errors import InputError, shown

__all__ = ["parquet_names"]


def parquet_names(files: FileSet) -> list[str]:
    """The names of the columns, of the first file; DuckDB renames those that differ only in case.

    Args:
        files: The files of one source.

    Raises:
        InputError: A file is not Parquet, is damaged, or has other columns than the first; or the times of a column
            have a zone in one file and none in another.
    """
    first: list[str] = []
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
        first = first or names
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
    return first
