"""Writing a folder so that it appears whole or not at all."""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import shutil
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gdsfd.errors import InputError

__all__ = ["check_replaceable", "whole_folder"]


@contextmanager
def whole_folder(folder: str | Path, marker: str, holds: str) -> Iterator[Path]:
    """Yields a temporary sibling of ``folder`` to write into; on success it takes the folder's place.

    When the block raises, or the process is killed, ``folder`` is as it was before. What a killed process left beside
    it (a hidden ``.<name>.<random>.partial``) is removed by the next call.

    Args:
        folder: The final place. Its parents are created.
        marker: Name of the JSON file by which such a folder is known. The block has to write it.
        holds: The marker's ``"format"``. Only an empty folder, or one whose marker says this, is replaced.

    Raises:
        InputError: ``folder`` is a file, or a folder of something else.

    Example:
        >>> with whole_folder("out", "graph.json", holds="gdsfd graph") as temporary:  # doctest: +SKIP
        ...     (temporary / "graph.json").write_text('{"format": "gdsfd graph"}')
    """
    folder = Path(os.path.abspath(folder))
    check_replaceable(folder, marker, holds)
    folder.parent.mkdir(parents=True, exist_ok=True)
    _remove_left_over(folder)
    temporary = folder.parent / f".{folder.name}.{uuid.uuid4().hex[:8]}.partial"
    temporary.mkdir()
    lock = _lock(temporary)
    try:
        yield temporary
        for entry in (*temporary.rglob("*"), temporary):
            if entry.is_file():  # safetensors would keep its files from the user's group
                shutil.copymode(temporary / marker, entry)
            _flush(entry)
        _put_in_place(temporary, folder)
        _flush(folder.parent)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        if lock is not None:
            os.close(lock)


def check_replaceable(folder: str | Path, marker: str, holds: str) -> None:
    """Refuses to overwrite what is not ours. Useful before long work whose end would be refused.

    Args:
        folder: Where something is to be written.
        marker: Name of the JSON file by which such a folder is known.
        holds: The ``"format"`` that the marker has to name.

    Raises:
        InputError: ``folder`` is a file, or a folder that is neither empty nor marked as ``holds``.
    """
    folder = Path(folder)
    if not os.path.lexists(folder):
        return
    advice = "choose another folder, or remove it yourself"
    if not folder.is_dir():
        raise InputError(f"{folder}: expected a folder to write the {holds} to, got a file; {advice}")
    try:
        stored = json.loads((folder / marker).read_text(encoding="utf-8"))
        ours = isinstance(stored, dict) and stored.get("format") == holds
    except (OSError, ValueError):
        ours = False
    if not ours and any(folder.iterdir()):
        raise InputError(f"{folder}: the folder is not empty and holds no {holds}; {advice}")


def _put_in_place(temporary: Path, folder: Path) -> None:
    """Gives ``temporary`` the name ``folder``; the old folder, if any, ends up under the temporary name."""
    if not os.path.lexists(folder):
        os.rename(temporary, folder)
    elif not _exchange(temporary, folder):
        # Without an exchange in one step, a kill between these two lines leaves the old folder under its hidden name.
        old = temporary.with_suffix(".old")
        os.rename(folder, old)
        os.rename(temporary, folder)
        os.rename(old, temporary)


def _exchange(one: Path, other: Path) -> bool:
    """Swaps two names in one step where the system can (Linux ``renameat2``); says whether it did."""
    if not sys.platform.startswith("linux"):
        return False
    renameat2 = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    at_cwd, exchange = -100, 2
    return renameat2 is not None and renameat2(at_cwd, os.fsencode(one), at_cwd, os.fsencode(other), exchange) == 0


def _remove_left_over(folder: Path) -> None:
    """Removes what killed processes left: temporary folders that no process holds locked."""
    for entry in folder.parent.iterdir():
        if entry.name.startswith(f".{folder.name}.") and entry.name.endswith(".partial"):
            lock = _lock(entry)
            if lock is not None:
                shutil.rmtree(entry, ignore_errors=True)
                os.close(lock)


def _lock(folder: Path) -> int | None:
    """A locked handle of the folder, freed by the system when the process ends; None when it is held, or gone."""
    handle = None
    try:
        handle = os.open(folder, os.O_RDONLY)
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        if handle is not None:
            os.close(handle)
        return None
    return handle


def _flush(path: Path) -> None:
    """Makes sure a file's or folder's content is on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
