"""Finding the files of a source."""

from __future__ import annotations

import glob
import os
from dataclasses import dataclass
from pathlib import Path

from gdsfd.cohort.sources.database_file import SEPARATOR, database_kind, tables_of
from gdsfd.cohort.sources.file_kind import begins_as_parquet
from gdsfd.cohort.sources.path_variables import expand_variables
from gdsfd.errors import InputError, near_names, shown

__all__ = ["FileSet", "find_files"]

CSV_SUFFIXES = (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz", ".txt.gz")
PARQUET_SUFFIXES = (".parquet", ".pq")


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
        if os.path.lexists(path):
            what = "a link to nothing" if os.path.islink(path) else "neither a file nor a folder"
            raise InputError(f"{path} is {what}{seen}; name a file")
        if not os.path.isdir(folder):
            raise InputError(f"file {path} does not exist{seen}: there is no folder {folder}")
        raise InputError(f"file {path} does not exist{seen}.{near_names(os.path.basename(path), os.listdir(folder))}")
    kinds = {_is_parquet(found) for found in paths}
    if len(kinds) > 1:
        raise InputError(f"{path} matches CSV and Parquet files: {shown(paths)}; use one format per source")
    return FileSet(
        tuple(os.path.abspath(found) for found in paths), tuple(_name(found, base_dir) for found in paths), kinds.pop()
    )


def _is_parquet(path: str) -> bool:
    """Whether a file is Parquet, or at least called so."""
    lowered = path.lower()
    if database_kind(path):
        tables = shown(tables_of(path), 12)
        raise InputError(f"{path} is a database; name one of its tables, {path + SEPARATOR}TABLE. It has {tables}")
    if lowered.endswith(PARQUET_SUFFIXES):
        return True
    if lowered.endswith(CSV_SUFFIXES):
        return begins_as_parquet(path)
    raise InputError(f"{path}: expected a file ending in {', '.join((*CSV_SUFFIXES, *PARQUET_SUFFIXES))}")


def _name(path: str, base_dir: Path) -> str:
    """Relative to the spec's folder where the file lies below it, else its name."""
    relative = os.path.relpath(path, base_dir)
    return os.path.basename(path) if relative.startswith(os.pardir) else relative
