"""Temporary folders of one process, locked while it lives: what a killed process left is known and removed."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = ["folder_beside", "private_folder", "remove_dead_folders"]

_TEMPORARY = re.compile(r"gdsfd-[a-z]+-[0-9a-f]{12}")
_PARTIAL = re.compile(r"\..+\.[0-9a-f]{8}\.partial", re.DOTALL)
_ONLY_ME = 0o700


@contextmanager
def private_folder(kind: str) -> Iterator[Path]:
    """A folder in the system's place for temporary files (``TMPDIR``) that nobody else may read, gone with the block.

    What killed processes left there is removed first (:func:`remove_dead_folders`).

    Args:
        kind: A word for its name, lower case: ``"cohort"``.

    Raises:
        OSError: It cannot be made.
    """
    remove_dead_folders()
    parent = Path(tempfile.gettempdir())
    with _held(lambda: parent / f"gdsfd-{kind}-{uuid.uuid4().hex[:12]}", _ONLY_ME) as folder:
        yield folder


def remove_dead_folders() -> None:
    """Removes what killed processes left among the system's temporary files, whatever it was for."""
    remove_left_over(Path(tempfile.gettempdir()), _TEMPORARY)


@contextmanager
def folder_beside(folder: Path, mode: int = _ONLY_ME) -> Iterator[Path]:
    """A hidden sibling of a folder, ``.<name>.<random>.partial``. It goes with the block, as do parents made for it.

    What killed processes left beside it under such names is removed first.

    Args:
        folder: The folder; its parents are created.
        mode: Who may read it.

    Raises:
        OSError: It cannot be made.
    """
    made = [parent for parent in folder.parents if not parent.exists()]
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        remove_left_over(folder.parent, _PARTIAL)
        with _held(lambda: folder.parent / f".{folder.name}.{uuid.uuid4().hex[:8]}.partial", mode) as temporary:
            yield temporary
    finally:
        with suppress(OSError):  # one that is no longer empty stays, and so do those above it
            for parent in made:
                parent.rmdir()


def remove_left_over(parent: Path, names: re.Pattern[str]) -> None:
    """Removes the user's own folders of such names that no process holds locked.

    Args:
        parent: Where to look.
        names: What the whole name matches.
    """
    try:
        entries = [entry for entry in os.scandir(parent) if names.fullmatch(entry.name)]
    except OSError:
        return
    for entry in entries:
        try:
            if not entry.is_dir(follow_symlinks=False) or entry.stat(follow_symlinks=False).st_uid != os.getuid():
                continue
        except OSError:  # gone meanwhile
            continue
        lock = _lock(Path(entry.path))
        if lock is not None:
            shutil.rmtree(entry.path, ignore_errors=True)
            os.close(lock)


@contextmanager
def _held(new_name: Callable[[], Path], mode: int) -> Iterator[Path]:
    lock = None
    while lock is None:
        folder = new_name()
        folder.mkdir(mode)
        lock = _lock(folder)
        if folder.exists():  # else another process's cleaning came between the two lines
            break
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if lock is not None:  # None: a file system without locks, where nothing is taken for left over either
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
