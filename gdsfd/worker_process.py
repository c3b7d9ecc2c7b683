"""What a process of work has to be: as quiet as its parent, with its plug-ins, and gone when that is.

Importing this module imports nothing heavy.
"""

from __future__ import annotations

import multiprocessing.forkserver
import os
import signal
import threading
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing import get_all_start_methods, get_context
from multiprocessing.connection import Connection
from typing import Any

from gdsfd.errors import InputError
from gdsfd.plugins import load_plugins

__all__ = ["begin_worker", "fitting_processes"]

#: Processes for fits begin as copies of one that has imported this once.
_FITTING = ("gdsfd.training.debiaser", "sklearn.cluster", "sklearn.ensemble", "sklearn.linear_model", "scipy.stats")


def fitting_processes(*further: str) -> Any:
    """Starts the process that those for fits are copies of; it imports what they need meanwhile. Again, does nothing.

    Args:
        further: Modules that these will need, too.

    Returns:
        The context for processes.

    Raises:
        InputError: This system cannot fork processes.
    """
    if "forkserver" not in get_all_start_methods():
        raise InputError(
            "several fits at a time, or processes for one fit, need a system that forks processes, as Linux and macOS "
            "do; here use jobs=1 (--jobs 1) and devices=1"
        )
    context = get_context("forkserver")
    context.set_forkserver_preload([*_FITTING, *further])
    multiprocessing.forkserver.ensure_running()
    return context


def begin_worker(alive: Connection, threads: int, plugins: Sequence[str]) -> None:
    """Prepares a process that works for another.

    Args:
        alive: The reading end of a pipe that nothing is sent through: it ends when the process that waits ends.
        threads: For tensors and for the products of libraries that are loaded.
        plugins: What the process that waits has loaded.
    """
    import torch  # seconds
    from threadpoolctl import threadpool_limits

    torch.set_num_threads(threads)
    threadpool_limits(threads)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that waits decides
    threading.Thread(target=_end_with, args=(alive,), daemon=True).start()
    load_plugins(plugins)


def _end_with(alive: Connection) -> None:
    with suppress(EOFError, OSError):
        alive.recv()  # nothing is ever sent
    os._exit(1)
