"""Arrays that may be larger than memory: small ones are held, large ones are a file that is mapped.

What is mapped is read from the disk where it is asked for and given up when memory is short. The file has no name
left, so it goes with the array, also when the process is killed. Whether an array is held or mapped changes none of its
values.
"""

from __future__ import annotations

import errno
import logging
import mmap
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import DTypeLike, NDArray

from gdsfd.errors import InputError, cell_text

__all__ = ["GrowingArray", "expect", "largest_held", "memory_left", "without_room", "zeros"]

_log = logging.getLogger(__name__)

#: An array is held in memory up to this share of what is left of it, and always up to so many bytes.
_SHARE, _ALWAYS_HELD = 1 / 16, 2**24
_UNLIMITED = 2**60  # what version 1 of control groups says where there is no limit: 2**63 less a page


def memory_left() -> int:
    """Bytes that this process may still take: of the machine's memory, and of what its control group is allowed.

    Files that the system keeps in memory only because there is room for them do not count as taken.
    """
    left = [_available()]
    for limit, used, facts in _control_group_files():
        try:
            text = Path(limit).read_text().strip()
            if text != "max" and int(text) < _UNLIMITED:
                left.append(int(text) - int(Path(used).read_text()) + _given_up(Path(facts)))
        except (OSError, ValueError):
            continue
    return max(min(left), 0)


def largest_held() -> int:
    """Bytes up to which an array is held in memory; a larger one becomes a file.

    ``GDSFD_ARRAY_BYTES`` sets another number, for all arrays of the process.

    Raises:
        InputError: It is set to something else.
    """
    if asked := os.environ.get("GDSFD_ARRAY_BYTES"):
        if not asked.isdecimal():
            raise InputError(
                f"GDSFD_ARRAY_BYTES: expected bytes as a whole number, e.g. 100000000, got {cell_text(asked)}"
            )
        return int(asked)
    return max(int(_SHARE * memory_left()), _ALWAYS_HELD)


def zeros(shape: Sequence[int], dtype: DTypeLike, folder: Path | None = None) -> NDArray[Any]:
    """An array of zeros that can be written to.

    Args:
        shape: Its shape.
        dtype: Its type.
        folder: Where the file lies if it becomes one; default: among the system's temporary files (``TMPDIR``).

    Raises:
        OSError: The disk has no room for it. Room is taken at once where the system can, so that writing does not fail.
    """
    size = int(np.prod(shape, dtype=np.int64)) * np.dtype(dtype).itemsize
    if size <= largest_held():
        return np.zeros(shape, dtype)
    with _file(folder) as file:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), 0, size)
        else:  # macOS
            file.truncate(size)
        return _mapped(file, dtype, shape)


def expect(array: NDArray[Any], rows: NDArray[np.int64]) -> None:
    """Has the disk begin to read rows of a mapped array, all at once, where the rows are about to be taken.

    Without this every row would be waited for by itself. Of an array that is held in memory nothing is done.

    Args:
        array: As :func:`zeros` or :class:`GrowingArray` gave it.
        rows: Numbers of rows, in any order; [n].
    """
    if not isinstance(array, np.memmap) or not len(rows) or not hasattr(mmap, "MADV_WILLNEED"):
        return
    size = array.strides[0]
    ordered = np.unique(rows)
    first, last = ordered * size // mmap.PAGESIZE, ((ordered + 1) * size - 1) // mmap.PAGESIZE + 1
    apart = np.flatnonzero(first[1:] > last[:-1])  # where the next row begins on a later page
    begins, ends = first[np.append(0, apart + 1)], last[np.append(apart, len(last) - 1)]
    memory = array._mmap  # type: ignore[attr-defined]
    for begin, pages in zip((begins * mmap.PAGESIZE).tolist(), ((ends - begins) * mmap.PAGESIZE).tolist()):
        memory.madvise(mmap.MADV_WILLNEED, begin, pages)


class GrowingArray:
    """An array that is made piece by piece, each appended along the first axis.

    Args:
        dtype: Its type.
        width: Sizes of the further axes.
        folder: As for :func:`zeros`.

    Example:
        >>> array = GrowingArray(np.float32)
        >>> array.append(np.array([1.0, 2.0]))
        >>> array.append(np.array([3.0]))
        >>> array.finish()
        array([1., 2., 3.], dtype=float32)
    """

    def __init__(self, dtype: DTypeLike, width: Sequence[int] = (), folder: Path | None = None) -> None:
        self._dtype, self._width, self._folder = np.dtype(dtype), tuple(width), folder
        self._held: list[NDArray[Any]] = []
        self._bytes, self._limit = 0, largest_held()
        self._file: BinaryIO | None = None

    def append(self, piece: NDArray[Any]) -> None:
        """Adds rows, converted to the array's type; [n, *width].

        Raises:
            OSError: The disk has no room for them.
        """
        piece = np.ascontiguousarray(piece, dtype=self._dtype)
        if piece.shape[1:] != self._width:
            raise ValueError(f"expected rows of shape {self._width}, got {piece.shape[1:]}")
        self._bytes += piece.nbytes
        if self._file is None and self._bytes > self._limit:
            self._file = _file(self._folder)
            for held in self._held:
                self._file.write(held.data)
            self._held = []
        if self._file is None:
            self._held.append(piece)
        elif piece.size:
            self._file.write(piece.data)

    def finish(self) -> NDArray[Any]:
        """The whole array; nothing can be appended afterwards."""
        if self._file is None:
            empty = np.zeros((0, *self._width), self._dtype)
            whole = np.concatenate(self._held) if len(self._held) > 1 else (self._held or [empty])[0]
            self._held = []
            return whole
        with self._file as file:
            file.flush()
            rows = self._bytes // (self._dtype.itemsize * int(np.prod(self._width, dtype=np.int64)))
            return _mapped(file, self._dtype, (rows, *self._width))


@contextmanager
def without_room(consequence: str) -> Iterator[None]:
    """Where the disk has no room for an array, says what follows and goes on after the block.

    Args:
        consequence: What is then done instead, for the message.

    Raises:
        OSError: Something else was wrong.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise
        said = "%s: %s has no room for them; free space there or set TMPDIR to another folder"
        _log.warning(said, consequence, tempfile.gettempdir())


def _file(folder: Path | None) -> BinaryIO:
    """A new file without a name, in a folder."""
    return tempfile.TemporaryFile(dir=folder, prefix="gdsfd-array-")


def _mapped(file: BinaryIO, dtype: DTypeLike, shape: Sequence[int]) -> NDArray[Any]:
    """A file as an array. What is read beside the rows asked for is not read ahead: rows are taken from anywhere."""
    array = np.memmap(file, dtype, "r+", shape=tuple(shape))
    if hasattr(mmap, "MADV_RANDOM"):
        array._mmap.madvise(mmap.MADV_RANDOM)  # type: ignore[attr-defined]
    return array


def _available() -> int:
    """Bytes of the machine's memory that can be had without swapping."""
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) << 10
    except OSError:
        pass
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2  # a system that does not say


def _given_up(facts: Path) -> int:
    """Bytes of files that a control group would give up first, out of its ``memory.stat``."""
    try:
        told = dict(line.split() for line in facts.read_text().splitlines())
    except OSError:
        return 0
    # Version 1 tells those of the group itself and, with those below it, the total.
    return int(told.get("total_inactive_file", told.get("inactive_file", 0)))


def _control_group_files() -> list[tuple[str, str, str]]:
    """Files of the limit, the use and the facts of memory of this process's control groups; some may not be there."""
    try:
        lines = Path("/proc/self/cgroup").read_text().splitlines()
    except OSError:
        return []
    found = []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if "memory" in controllers.split(","):
            for own in {path.rstrip("/"), ""}:  # in a container its own group may be all that it sees
                folder = f"/sys/fs/cgroup/memory{own}"
                files = ("limit_in_bytes", "usage_in_bytes", "stat")
                limit, used, facts = (f"{folder}/memory.{name}" for name in files)
                found.append((limit, used, facts))
        elif not controllers:
            folder = "/sys/fs/cgroup" + path.rstrip("/")
            found.append((f"{folder}/memory.max", f"{folder}/memory.current", f"{folder}/memory.stat"))
    return found
