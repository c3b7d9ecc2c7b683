"""The columns of a table, and whether it has rows, without reading it."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from gdsfd.cohort.sources.csv_text import header_of
from gdsfd.cohort.sources.database_file import find_table, is_database_table
from gdsfd.cohort.sources.file_kind import file_kind, first_bytes
from gdsfd.cohort.sources.files import find_files

__all__ = ["columns_of", "has_rows", "text_columns_of", "zoned_columns_of"]

_HEAD_BYTES = 1 << 20


def columns_of(source: str, base_dir: Path) -> list[str]:
    """Names of the columns of a source: of all Parquet files together, of the first CSV file.

    Args:
        source: As in a spec: path, glob or ``file::table``.
        base_dir: The spec's folder.

    Raises:
        InputError: It cannot be read.
    """
    fields = _typed(source, base_dir)
    if fields is None:
        files = find_files(source, base_dir)
        return list(header_of(files.paths[0], files.names[0]).columns)
    return list(dict.fromkeys(field.name for field in fields))


def zoned_columns_of(source: str, base_dir: Path) -> frozenset[str]:
    """Names of the columns whose type is a timestamp with a zone; text has no type.

    Args:
        source: As in a spec: path, glob or ``file::table``.
        base_dir: The spec's folder.

    Raises:
        InputError: It cannot be read.
    """
    fields = _typed(source, base_dir) or []
    return frozenset(field.name for field in fields if pa.types.is_timestamp(field.type) and field.type.tz is not None)


def text_columns_of(source: str, base_dir: Path) -> frozenset[str]:
    """Names of the columns that are stored as text, which are all of a CSV file; ``<column>__text`` is theirs.

    Args:
        source: As in a spec: path, glob or ``file::table``.
        base_dir: The spec's folder.

    Raises:
        InputError: It cannot be read.
    """
    fields = _typed(source, base_dir)
    if fields is None:
        return frozenset(columns_of(source, base_dir))
    other = {
        field.name for field in fields if not (pa.types.is_string(field.type) or pa.types.is_large_string(field.type))
    }
    return frozenset(field.name for field in fields).difference(other)


def _typed(source: str, base_dir: Path) -> list[pa.Field] | None:
    """The fields of all files, or of a table; None of text files."""
    if is_database_table(source):
        return list(find_table(source, base_dir).reader(1).schema)
    files = find_files(source, base_dir)
    return [field for path in files.paths for field in pq.read_schema(path)] if files.parquet else None


def has_rows(source: str, base_dir: Path) -> bool:
    """Whether a source has any row below its header.

    Args:
        source: As in a spec: path, glob or ``file::table``.
        base_dir: The spec's folder.

    Raises:
        InputError: It cannot be read.
    """
    if is_database_table(source):
        return find_table(source, base_dir).reader(1).read_all().num_rows > 0
    files = find_files(source, base_dir)
    if files.parquet:
        return any(pq.read_metadata(path).num_rows > 0 for path in files.paths)
    return any(_has_lines(path, label) for path, label in zip(files.paths, files.names))


def _has_lines(path: str, label: str) -> bool:
    head = first_bytes(path, label, file_kind(path, label).gzipped, _HEAD_BYTES)
    return len([line for line in head.replace(b"\r", b"\n").split(b"\n") if line.strip(b" \t\x00")]) > 1
