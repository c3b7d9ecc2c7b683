"""The tables of an export: files of a folder, single files, or the tables of a database."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gdsfd.cohort.sources.csv_text import header_of
from gdsfd.cohort.sources.database_file import SEPARATOR, database_kind, tables_of
from gdsfd.cohort.sources.file_kind import begins_as_parquet
from gdsfd.cohort.sources.files import CSV_SUFFIXES, PARQUET_SUFFIXES
from gdsfd.errors import InputError, cut_text, shown

__all__ = ["Exports", "Place", "find_exports"]

_MOST = 2_000  #: files looked at
_PROSE = re.compile(
    r"^(readme|license|licence|copying|changelog|sha\d+sums|md5sums|checksums|index|lies ?mich)\b", re.I
)


@dataclass(frozen=True)
class Place:
    """Where a table stands.

    Args:
        name: What it is called here: the file's name without endings.
        paths: Its files, or ``file::table``.
        written: The path or glob as a spec may write it, absolute.
        parquet: Whether the files are Parquet.
    """

    name: str
    paths: tuple[str, ...]
    written: str
    parquet: bool = False

    @property
    def in_database(self) -> bool:
        """Whether it is the table of a database's file."""
        return SEPARATOR in self.written


@dataclass
class Exports:
    """What was found.

    Args:
        places: The tables.
        skipped: Files that are no tables that can be read, each with the reason.
    """

    places: list[Place] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)


def find_exports(sources: Sequence[str | Path]) -> Exports:
    """Finds the tables.

    Files of one layout whose names differ in numbers only (``labs_2020.csv``, ``labs_2021.csv``; parts of a Parquet
    table) are one table, named by a glob.

    Args:
        sources: Folders (with what is below them), files, databases, globs.

    Raises:
        InputError: There is no such thing, or no table in it.
    """
    found, files = Exports(), []
    for source in sources:
        path = os.path.abspath(os.path.expanduser(os.fspath(source)))
        matched = [path] if os.path.exists(path) else sorted(glob.glob(path, recursive=True))
        if not matched:
            raise InputError(
                f"{path} does not exist; name a folder of exports, files of it, or a DuckDB or SQLite file"
            )
        for one in matched:
            files += list(_below(one)) if os.path.isdir(one) else [one]
    if len(files) > _MOST:
        raise InputError(f"{len(files):,} files are too many to look at (at most {_MOST:,}); name the folder of tables")
    layouts: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for path in dict.fromkeys(files):
        if database_kind(path):
            found.places += [Place(name, (path,), f"{path}{SEPARATOR}{name}") for name in tables_of(path)]
            continue
        try:
            columns = _columns(path)
        except InputError as error:
            found.skipped.append((path, cut_text(str(error).removeprefix(f"{os.path.basename(path)}: "), 160)))
            continue
        layouts.setdefault((_family(path), columns), []).append(path)
    for paths in layouts.values():
        found.places += _together(paths)
    found.places.sort(key=lambda place: place.written)
    _without_copies(found, {path: columns for (_, columns), paths in layouts.items() for path in paths})
    if not found.places:
        why = (
            f" Left out: {shown([f'{os.path.basename(path)}: {why}' for path, why in found.skipped], 3)}"
            if found.skipped
            else ""
        )
        raise InputError(
            f"no table in {shown([os.fspath(source) for source in sources])}; expected CSV, Parquet or a database.{why}"
        )
    found.places = _with_names_of_their_own(found.places)
    return found


def _without_copies(found: Exports, columns: dict[str, tuple[str, ...]]) -> None:
    """Of a table that is there twice in one folder, as CSV and as Parquet for instance, one is enough."""
    seen: dict[tuple[str, str, tuple[str, ...]], str] = {}
    for place in list(found.places):
        if place.in_database:
            continue
        path = place.paths[0]
        names = tuple(sorted(name for name in columns[path] if name != "parquet"))
        key = (os.path.dirname(path), _stem(path).lower(), names)
        if key in seen:
            found.places.remove(place)
            found.skipped.append((path, f"it has the name and the columns of {seen[key]}"))
        seen.setdefault(key, os.path.basename(path))


def _below(folder: str) -> Iterator[str]:
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "_")))
        yield from (os.path.join(root, name) for name in sorted(names) if not name.startswith("."))


def _columns(path: str) -> tuple[str, ...]:
    """The columns of a file that looks like a table."""
    name = os.path.basename(path)
    lowered = name.lower()
    if not lowered.endswith((*CSV_SUFFIXES, *PARQUET_SUFFIXES)):
        raise InputError("it ends like no table that is read")
    if lowered.endswith(PARQUET_SUFFIXES) or begins_as_parquet(path):
        return ("parquet", *_parquet_columns(path))
    if _PROSE.search(name):
        raise InputError("it is called like a text for people")
    columns = header_of(path, name).columns
    if lowered.endswith((".txt", ".txt.gz")) and (len(columns) < 2 or max(map(len, columns)) > 60):
        raise InputError("it reads like a text, not like a table")
    return columns


def _parquet_columns(path: str) -> list[str]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return list(pq.read_schema(path).names)
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{os.path.basename(path)} cannot be read: {error}") from None


def _family(path: str) -> str:
    """Files of one family may be parts of one table: numbers in their names differ, or only their folder does."""
    folder, name = os.path.split(path)
    stem = re.sub(r"\d+", "#", name)
    is_part = re.fullmatch(r"(part-?)?#(-of-#)?\.[a-z.]+", stem) is not None
    return os.path.join(os.path.dirname(folder) if is_part else folder, stem)


def _together(paths: list[str]) -> Iterator[Place]:
    parquet = paths[0].lower().endswith(PARQUET_SUFFIXES) or begins_as_parquet(paths[0])
    if len(paths) > 1:
        first, last = _common(paths)
        folders = {os.path.dirname(path) for path in paths}
        pattern = f"{glob.escape(first)}[0-9]*{glob.escape(last)}"
        if len(folders) > 1:
            above = os.path.commonpath(list(folders))
            pattern = os.path.join(glob.escape(above), "*", f"*{os.path.splitext(paths[0])[1]}")
        if sorted(glob.glob(pattern)) == sorted(paths):
            name = re.sub(r"[\W_]*\d*$", "", os.path.basename(first)) or os.path.basename(os.path.dirname(first))
            yield Place(name if len(folders) == 1 else os.path.basename(above), tuple(paths), pattern, parquet)
            return
    for path in paths:
        yield Place(_stem(path), (path,), path, parquet)


def _common(paths: list[str]) -> tuple[str, str]:
    first = _shared(paths)
    last = _shared([path[len(first) :][::-1] for path in paths])[::-1]
    return re.sub(r"\d+$", "", first), re.sub(r"^\d+", "", last)


def _shared(texts: list[str]) -> str:
    """The letters that all texts begin with."""
    least, most = min(texts), max(texts)
    return least[: next((k for k, letter in enumerate(least) if letter != most[k]), len(least))]


def _stem(path: str) -> str:
    name = os.path.basename(path)
    lowered = name.lower()
    ending = max((end for end in (*CSV_SUFFIXES, *PARQUET_SUFFIXES) if lowered.endswith(end)), key=len)
    return name[: -len(ending)]


def _with_names_of_their_own(places: list[Place]) -> list[Place]:
    """Two tables of one name get their folder's name, or a number, in front."""
    taken: set[str] = set()
    own = []
    for place in places:
        name = re.sub(r"[.:/\\]+", "_", place.name).strip() or "table"
        if name.lower() in taken:
            name = f"{os.path.basename(os.path.dirname(place.paths[0]))}_{name}".replace(".", "_")
        while name.lower() in taken:
            name += "_2"
        taken.add(name.lower())
        own.append(Place(name, place.paths, place.written, place.parquet))
    return own
