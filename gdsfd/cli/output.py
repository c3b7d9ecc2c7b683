"""Where results go: what may be replaced."""

from __future__ import annotations

import os
from pathlib import Path

from gdsfd.atomic_write import check_writable
from gdsfd.errors import InputError

__all__ = ["check_out_file", "check_out_folder"]


def check_out_folder(folder: Path, known_by: str, kind: str, force: bool) -> None:
    """Refuses, before any work is done, a folder whose content the user may want to keep.

    Args:
        folder: Where the results are to go.
        known_by: A file that every folder of this kind has.
        kind: What such a folder holds, for the message: ``"graph"``.
        force: Whether a folder of this kind may be replaced.

    Raises:
        InputError: ``folder`` is a file, is full of something else, or holds earlier results and ``force`` is False;
            or nothing can be written there.
    """
    check_writable(folder)
    folder = Path(os.path.realpath(folder))  # a link is followed
    if not os.path.lexists(folder):
        return
    if not folder.is_dir():
        raise InputError(f"--out {folder}: expected a folder, got a file; choose another name")
    if not any(folder.iterdir()):
        return
    if not (folder / known_by).exists():
        raise InputError(f"--out {folder}: the folder is not empty and holds no {kind}; choose another folder")
    if not force:
        raise InputError(
            f"--out {folder}: there is a {kind} already; choose another folder, or replace it with --force"
        )


def check_out_file(file: Path, suffixes: tuple[str, ...], force: bool) -> None:
    """Refuses, before any work is done, a file that cannot or should not be written.

    Raises:
        InputError: The ending is none of ``suffixes``, the file exists and ``force`` is False, or its folder cannot be
            written.
    """
    if file.suffix.lower() not in suffixes:
        raise InputError(f"--out {file}: expected a name that ends with {' or '.join(suffixes)}")
    if file.is_dir():
        raise InputError(f"--out {file}: expected a file's name, got a folder")
    if file.exists() and not force:
        raise InputError(f"--out {file}: the file exists; choose another name, or replace it with --force")
    check_writable(file)
