"""Memory that is freed within a training step stays with the process for the next one."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

__all__ = ["kept_memory"]

# Of glibc's malloc.h. The first threshold cannot be larger than 32 MiB.
_MMAP_THRESHOLD, _TRIM_THRESHOLD, _TOP_PAD = -3, -1, -2
_KEEP = {_MMAP_THRESHOLD: 32 << 20, _TRIM_THRESHOLD: 2**31 - 1, _TOP_PAD: 64 << 20}
_GIVE_BACK = {_MMAP_THRESHOLD: 32 << 20, _TRIM_THRESHOLD: 64 << 20, _TOP_PAD: 128 << 10}

_depth = 0


@contextmanager
def kept_memory() -> Iterator[None]:
    """Inside, freed memory is used again instead of being given back to the operating system.

    A step makes some hundred arrays of about a megabyte and frees them again. glibc gives such memory back and asks for
    new, which the kernel hands out zeroed, page by page, when it is first touched: in a step of four members that is a
    sixth of the time. Afterwards what is free goes back. Nothing happens where the C library is not glibc on Linux, and
    no number depends on it.
    """
    global _depth
    libc = _glibc()
    if libc is None:
        yield
        return
    _depth += 1
    _set(libc, _KEEP)
    try:
        yield
    finally:
        _depth -= 1
        if not _depth:
            _set(libc, _GIVE_BACK)
            libc.malloc_trim(0)


def _set(libc: Any, options: dict[int, int]) -> None:
    for option, value in options.items():
        libc.mallopt(option, value)


@cache
def _glibc() -> Any:
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None)
    return libc if all(hasattr(libc, name) for name in ("gnu_get_libc_version", "mallopt", "malloc_trim")) else None
