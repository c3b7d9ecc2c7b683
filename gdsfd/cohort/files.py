"""Finding the files of a source, and reading the header of a CSV file."""

from __future__ import annotations

import csv
import glob
import gzip
import io
import os
import zlib
from dataclasses import dataclass
from pathlib import Path

from gdsfd.cohort.path_variables import expand_variables
from gdsfd.errors import InputError, near_names, shown

__all__ = ["CsvHeader", "FileSet", "csv_header", "find_files"]

CSV_SUFFIXES = (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz", ".txt.gz")
PARQUET_SUFFIXES = (".parquet", ".pq")
_HEADER_BYTES = 1 << 20


@dataclass(frozen=True)
class FileSet:
    """The files behind one source.

    Args:
        paths: Absolute paths, sorted.
        names: How messages and receipts call them: relative to the spec's folder where they lie below it.
        parquet: Whether they are Parquet (else CSV).
    """

    paths: tuple[str, ...]
    names: tuple[str, ...]
    parquet: bool

    @property
    def label(self) -> str:
        """The files in a few words."""
        return self.names[0] if len(self.names) == 1 else f"{self.names[0]} and {len(self.names) - 1} more files"

    @property
    def bytes(self) -> int:
        """Size on disk."""
        return sum(os.path.getsize(path) for path in self.paths)


@dataclass(frozen=True)
class CsvHeader:
    """First line of a CSV file.

    Args:
        columns: Names, whitespace trimmed.
        delimiter: The character between them.
        newline: ``"\\n"`` or ``"\\r\\n"``.
    """

    columns: tuple[str, ...]
    delimiter: str
    newline: str


def find_files(source: str | Path, base_dir: Path) -> FileSet:
    """The files a path or glob means.

    Args:
        source: Path or glob, relative to ``base_dir`` unless absolute; ``${NAME}`` and ``${NAME:-default}`` are
            replaced by environment variables first.
        base_dir: The spec's folder.

    Raises:
        SpecError: A variable is not set.
        InputError: No such file, a folder, a format that is not read, or a glob of mixed formats.
    """
    written = os.fspath(source)
    path = os.path.join(base_dir, os.path.expanduser(expand_variables(written)))
    seen = f" (source {written!r})" if "${" in written else ""
    if os.path.isdir(path):
        raise InputError(
            f"{path} is a folder{seen}; name a file or a glob such as {os.path.join(written, '*.parquet')!r}"
        )
    paths = [path] if os.path.isfile(path) else sorted(glob.glob(path, recursive=True))
    paths = [found for found in paths if os.path.isfile(found)]
    if not paths:
        folder = os.path.dirname(path) or "."
        if glob.has_magic(path):
            raise InputError(f"no file matches {path}{seen}")
        if not os.path.isdir(folder):
            raise InputError(f"file {path} does not exist{seen}: there is no folder {folder}")
        raise InputError(f"file {path} does not exist{seen}.{near_names(os.path.basename(path), os.listdir(folder))}")
    kinds = {_is_parquet(found) for found in paths}
    if len(kinds) > 1:
        raise InputError(f"{path} matches CSV and Parquet files: {shown(paths)}; use one format per source")
    return FileSet(
        tuple(os.path.abspath(found) for found in paths), tuple(_name(found, base_dir) for found in paths), kinds.pop()
    )


def csv_header(path: str, name: str) -> CsvHeader:
    """Reads the header line of a CSV file, gzipped or not.

    Args:
        path: The file.
        name: How messages call it.

    Raises:
        InputError: An empty file, a broken .gz, text that is not UTF-8, a blank or repeated column name.
    """
    try:
        with gzip.open(path) if path.endswith(".gz") else open(path, "rb") as stream:
            raw = stream.read(_HEADER_BYTES) if not path.endswith(".gz") else _first_bytes(stream)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise InputError(f"{name} is a broken .gz file ({error}); copy it again") from None
    try:
        text = raw[: raw.rfind(b"\n") + 1 or None].decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise InputError(f"{name} is not UTF-8 (line {line}); convert it, e.g. iconv -f LATIN1 -t UTF-8") from None
    if not text.strip():
        raise InputError(f"{name} is empty; expected a header line with column names")
    if "\n" not in text and "\r" in text.strip():
        raise InputError(
            f"{name}: its lines end with a carriage return alone; convert it, e.g. tr '\\r' '\\n' < OLD > NEW"
        )
    newline = "\r\n" if "\r\n" in text.split("\n", 1)[0] + "\n" else "\n"
    first = text.splitlines()[0]
    delimiter = max(",\t;|", key=lambda sign: (_fields_of(first, sign), -",\t;|".index(sign)))
    columns = tuple(column.strip() for column in next(csv.reader(io.StringIO(text), delimiter=delimiter)))
    blank = [position + 1 for position, column in enumerate(columns) if not column]
    lowered = [column.lower() for column in columns]
    repeated = sorted({column for column in columns if lowered.count(column.lower()) > 1 and column})
    if repeated:
        raise InputError(
            f"{name}: column names must differ (upper and lower case count as equal), got {shown(repeated)} more "
            "than once"
        )
    if len(blank) > 1:
        raise InputError(f"{name}: columns {shown(blank)} of the header have no name")
    return CsvHeader(tuple(column or "column0" for column in columns), delimiter, newline)


def _first_bytes(stream: io.BufferedIOBase) -> bytes:
    """The first bytes of a gzip stream; a stream that breaks off later is reported by the full read, with its place."""
    raw = b""
    while b"\n" not in raw and len(raw) < _HEADER_BYTES:
        piece = stream.read(4096)
        if not piece:
            break
        raw += piece
    return raw


def _fields_of(line: str, delimiter: str) -> int:
    return len(next(csv.reader([line], delimiter=delimiter), []))


def _is_parquet(path: str) -> bool:
    lowered = path.lower()
    if lowered.endswith(PARQUET_SUFFIXES):
        return True
    if lowered.endswith(CSV_SUFFIXES):
        return False
    raise InputError(f"{path}: expected a file ending in {', '.join((*CSV_SUFFIXES, *PARQUET_SUFFIXES))}")


def _name(path: str, base_dir: Path) -> str:
    """Relative to the spec's folder where the file lies below it, else its name."""
    relative = os.path.relpath(path, base_dir)
    return os.path.basename(path) if relative.startswith(os.pardir) else relative
