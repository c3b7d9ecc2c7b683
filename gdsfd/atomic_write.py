"""Folders and files that appear whole or not at all, and what is looked at before they are written."""

from __future__ import annotations

import ctypes
import errno
import json
import os
import shutil
import sys
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from safetensors import SafetensorError

from gdsfd.errors import InputError
from gdsfd.private_folder import folder_beside

__all__ = [
    "atomic_directory",
    "atomic_file",
    "check_replaceable",
    "check_writable",
    "explained_place",
    "place_is_full",
    "put_in_place",
]

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG)


@contextmanager
def atomic_directory(folder: str | Path, marker: str, holds: str) -> Iterator[Path]:
    """Yields a temporary sibling of ``folder`` to write into; on success it takes the folder's place.

    When the block raises, or the process is killed, ``folder`` is as it was before. What a killed process left beside
    it (a hidden ``.<name>.<random>.partial``) is removed by the next call.

    Args:
        folder: The final place. Its parents are created. A link is followed, and stays a link.
        marker: Name of the JSON file by which such a folder is known. The block has to write it.
        holds: The marker's ``"format"``. Only an empty folder, or one whose marker says this, is replaced.

    Raises:
        InputError: ``folder`` is a file, or a folder of something else; or it cannot be written, or the disk is full.

    Example:
        >>> with atomic_directory("out", "graph.json", holds="gdsfd graph") as temporary:  # doctest: +SKIP
        ...     (temporary / "graph.json").write_text('{"format": "gdsfd graph"}')
    """
    folder = Path(os.path.realpath(folder))  # a link is followed, and stays
    check_replaceable(folder, marker, holds)
    check_writable(folder)
    with explained_place(folder), folder_beside(folder, mode=0o777) as temporary:
        yield temporary
        for entry in temporary.rglob("*"):
            if entry.is_file():  # safetensors would keep its files from the user's group
                shutil.copymode(temporary / marker, entry)
        put_in_place(temporary, folder)


@contextmanager
def atomic_file(file: str | Path) -> Iterator[Path]:
    """Yields a temporary sibling of ``file`` to write to; on success it takes the file's place. A link is followed.

    Args:
        file: The final place. Its parents are created.

    Raises:
        InputError: It cannot be written, or the disk is full.

    Example:
        >>> with atomic_file("out.csv") as temporary:  # doctest: +SKIP
        ...     temporary.write_text("id,probability")
    """
    file = Path(os.path.realpath(file))
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.parent / f".{file.stem}.{uuid.uuid4().hex[:8]}{file.suffix}"
    with explained_place(file):
        try:
            yield temporary
            _flush(temporary)
            os.replace(temporary, file)
            _flush(file.parent)
        finally:
            temporary.unlink(missing_ok=True)


def put_in_place(temporary: Path, folder: Path) -> None:
    """Gives a folder that has been written its final name, once all of it is on the disk.

    Args:
        temporary: The folder; afterwards there is none of this name, or the one that had the final name before.
        folder: The final place, on the same file system.
    """
    for entry in (*temporary.rglob("*"), temporary):
        _flush(entry)
    _rename(temporary, folder)
    _flush(folder.parent)


def check_writable(folder: str | Path, inside: bool = False) -> None:
    """Refuses a place where nothing can be written. Useful before long work whose end would be lost.

    Args:
        folder: Where something is to be written; it and its parents need not be there yet.
        inside: Whether files are written into the folder; else it is replaced as a whole, by a sibling.

    Raises:
        InputError: The nearest folder that exists takes no new file, or is a file.
    """
    folder = Path(os.path.realpath(folder))
    places = [folder, *folder.parents] if inside else folder.parents
    place = next((place for place in places if os.path.lexists(place)), folder.parent)
    if not place.is_dir():
        raise InputError(f"{folder} cannot be written: expected a folder at {place}, got a file; choose another place")
    try:
        with tempfile.TemporaryFile(dir=place):
            pass
    except OSError as error:
        raise InputError(f"{folder} cannot be written: {place}: {error.strerror}; choose another place") from None


@contextmanager
def explained_place(folder: Path) -> Iterator[None]:
    """Turns what the system says about a place (full, forbidden) into an InputError that names the place.

    Args:
        folder: The place that is written to.

    Raises:
        InputError: The disk is full, or the place takes no file.
    """
    try:
        yield
    except (OSError, SafetensorError) as error:
        reason = place_is_full(error)
        if reason is None and isinstance(error, OSError) and error.errno in _FORBIDDEN and _is_near(error, folder):
            reason = error.strerror
        if reason is None:
            raise
        raise InputError(f"{folder} cannot be written: {reason}; free space there, or choose another place") from None


def place_is_full(error: BaseException) -> str | None:
    """What the system says when a disk or a quota is full; None when the error is another one.

    Args:
        error: What a writer raised; libraries put the system's words in their own.
    """
    number = getattr(error, "errno", None)
    if number in _FULL:
        return os.strerror(number)
    said = str(error).lower()
    return next((os.strerror(full) for full in _FULL if os.strerror(full).lower() in said), None)


def _is_near(error: OSError, folder: Path) -> bool:
    """Whether an error is about the place itself: what a block reads elsewhere is no fault of the place."""
    return error.filename is not None and os.path.realpath(error.filename).startswith(str(folder.parent))


def check_replaceable(folder: str | Path, marker: str, holds: str) -> None:
    """Refuses to overwrite what is not ours. Useful before long work whose end would be refused.

    Args:
        folder: Where something is to be written.
        marker: Name of the JSON file by which such a folder is known.
        holds: The ``"format"`` that the marker has to name.

    Raises:
        InputError: ``folder`` is a file, or a folder that is neither empty nor marked as ``holds``.
    """
    folder = Path(os.path.realpath(folder))
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


def _rename(temporary: Path, folder: Path) -> None:
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


def _flush(path: Path) -> None:
    """Makes sure a file's or folder's content is on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
