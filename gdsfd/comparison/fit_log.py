"""One JSON line per fitted arm, in a file that several processes may append to and that survives being killed."""

from __future__ import annotations

import fcntl
import json
import math
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from gdsfd.atomic_write import explained_place

__all__ = ["FitLog", "Record", "key_of", "plain", "read_fits"]

Record = dict[str, Any]

#: What tells one fitted arm from another.
KEY = ("design", "holdout", "seed", "backbone", "arm")


def key_of(record: Record) -> tuple[Any, ...]:
    """What tells a fitted arm from another: design, held-out environment, seed, backbone, arm."""
    return tuple(record.get(name) for name in KEY)


class FitLog:
    """Appends records to a file of JSON lines.

    Args:
        file: The file; it and its folder are made when the first record comes.
        head: Fields put into every record: commit, versions and so on.
    """

    def __init__(self, file: str | Path, head: Record | None = None) -> None:
        self.file = Path(file)
        self.head = head or {}

    def append(self, records: Sequence[Record]) -> list[Record]:
        """Writes records, all of them or none: under a lock, and what a full disk took of them is taken back.

        What a killed process left of a line is closed first, so that it spoils no further line.

        Returns:
            The records as they will be read back.

        Raises:
            InputError: The file cannot be written, or the disk is full.
        """
        written: list[Record] = [plain({**record, **self.head}) for record in records]
        text = "".join(json.dumps(record, allow_nan=False) + "\n" for record in written)
        with explained_place(self.file):
            self.file.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(self.file, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX)
                size = os.fstat(handle).st_size
                if size and os.pread(handle, 1, size - 1) != b"\n":
                    text = "\n" + text
                _write_whole(handle, text.encode(), size)
            finally:
                os.close(handle)
        return written

    def done(self) -> set[tuple[Any, ...]]:
        """Keys of the fits that are in the file."""
        return {key_of(record) for record in read_fits(self.file)}


def _write_whole(handle: int, content: bytes, size: int) -> None:
    """Writes all of it behind the first ``size`` bytes of a file: a disk that fills up takes a part in silence."""
    left = memoryview(content)
    try:
        while left:
            left = left[os.write(handle, left) :]
    except OSError:
        os.ftruncate(handle, size)
        raise


def read_fits(file: str | Path) -> list[Record]:
    """The records of a file, the newest of each key; a line that was cut off is left out.

    Args:
        file: The file; one that is not there holds nothing.
    """
    path = Path(file)
    if not path.is_file():
        return []
    found: dict[tuple[Any, ...], Record] = {}
    for text in path.read_text(encoding="utf-8").splitlines():
        try:
            record = json.loads(text)
        except ValueError:
            continue
        if isinstance(record, dict) and "arm" in record and isinstance(record.get("splits"), dict):
            found[key_of(record)] = record
    return list(found.values())


def plain(value: Any) -> Any:
    """A value as JSON has it: floats with 6 digits, NaN and infinite ones as None, tuples as lists."""
    if isinstance(value, dict):
        return {str(key): plain(part) for key, part in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, str):
        return [plain(part) for part in value]
    if isinstance(value, float):
        return float(f"{value:.6g}") if math.isfinite(value) else None
    return value
