"""A lock file for work that only one process at a time may do; it names the process that holds it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from gdsfd.errors import InputError

__all__ = ["check_unlocked", "process_lock"]


@contextmanager
def process_lock(file: str | Path, refusal: str) -> Iterator[None]:
    """Holds a lock while the block runs; the system frees it when the process ends, however it ends.

    Folders that are made for the file are removed at the end where they are empty, and so is the file. Where the file
    system knows no locks, the block runs without one.

    Args:
        file: The lock's file. What an ended process left of it is taken over.
        refusal: What to say when another process holds it; ``{holder}`` becomes ``another process (pid 123)``.

    Raises:
        InputError: Another process holds the lock, or the file cannot be written.
    """
    file = Path(os.path.abspath(file))
    made = _missing_folders(file.parent)
    try:
        handle = _take(file, refusal)
    except BaseException:
        _remove_empty(made)
        raise
    try:
        yield
    finally:
        if _is_at(handle, file):
            file.unlink()
        os.close(handle)
        _remove_empty(made)


def check_unlocked(file: str | Path, refusal: str) -> None:
    """Refuses when another process holds a lock; takes none, and writes nothing.

    Args:
        file: The lock's file.
        refusal: As for :func:`process_lock`.

    Raises:
        InputError: It is held.
    """
    try:
        handle = os.open(file, os.O_RDWR)
    except OSError:
        return
    try:
        _try(handle, refusal)
    finally:
        os.close(handle)


def _take(file: Path, refusal: str) -> int:
    while True:
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(file, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            raise InputError(f"{file.parent}: cannot be written to ({error.strerror}); choose another folder") from None
        try:
            _try(handle, refusal)
            if _is_at(handle, file):
                os.ftruncate(handle, 0)
                os.pwrite(handle, str(os.getpid()).encode(), 0)
                return handle
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)  # its last holder removed the file between our two steps


def _try(handle: int, refusal: str) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        pid = os.pread(handle, 32, 0).decode("ascii", "replace").strip()
        holder = f"another process (pid {pid})" if pid.isdigit() else "another process"
        raise InputError(refusal.format(holder=holder)) from None
    except OSError:  # no locks on this file system
        return


def _is_at(handle: int, file: Path) -> bool:
    """Whether the file's name still leads to the open file."""
    try:
        return os.path.samestat(os.fstat(handle), os.stat(file))
    except OSError:
        return False


def _missing_folders(folder: Path) -> list[Path]:
    """The folder and those above it that do not exist, the innermost first."""
    return [each for each in (folder, *folder.parents) if not each.exists()]


def _remove_empty(folders: list[Path]) -> None:
    for folder in folders:
        with suppress(OSError):
            folder.rmdir()
