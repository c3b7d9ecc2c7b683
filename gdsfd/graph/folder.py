"""Writing a folder so that it appears whole or not at all."""

from __future__ import annotations

import json
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gdsfd.errors import InputError

__all__ = ["whole_folder"]


@contextmanager
def whole_folder(folder: Path, marker: str, holds: str) -> Iterator[Path]:
    """Yields a temporary sibling of ``folder`` to write into; on success it takes the folder's place.

    Args:
        folder: The final place. Its parents are created.
        marker: Name of the JSON file by which such a folder is known.
        holds: The marker's ``"format"``. Only an empty folder, or one whose marker says this, is replaced.

    Raises:
        InputError: ``folder`` is a file, or a folder of something else.
    """
    check_replaceable(folder, marker, holds)
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = folder.parent / f".{folder.name}.{uuid.uuid4().hex[:8]}.partial"
    temporary.mkdir()
    try:
        yield temporary
        for entry in temporary.iterdir():
            _flush(entry)
        _flush(temporary)
        _swap(temporary, folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def check_replaceable(folder: Path, marker: str, holds: str) -> None:
    """Refuses to overwrite what is not ours.

    Raises:
        InputError: ``folder`` is a file, or a folder that is neither empty nor marked as ``holds``.
    """
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


def _swap(temporary: Path, folder: Path) -> None:
    """Puts ``temporary`` in the place of ``folder``. POSIX cannot rename onto a folder that has files."""
    old = None
    if os.path.lexists(folder):
        old = temporary.with_suffix(".old")
        os.rename(folder, old)
    try:
        os.rename(temporary, folder)
    except OSError:
        if old is not None:
            os.rename(old, folder)
        raise
    _flush(folder.parent)
    if old is not None:
        shutil.rmtree(old, ignore_errors=True)


def _flush(path: Path) -> None:
    """Makes sure a file's or folder's content is on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
