"""SIGTERM and SIGHUP end a command as Ctrl-C does: what it holds open is cleaned up, then it goes."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["Stop", "orderly_end"]

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_PATIENCE_S = 10.0  #: a second signal within this time is not heeded, so that the clean-up can end


class Stop:
    """Which signal has ended the command.

    Attributes:
        number: The signal, or None. Set even where a library turns the interruption into an error of its own.
    """

    def __init__(self) -> None:
        self.number: int | None = None
        self._since = 0.0
        self._process = os.getpid()

    def __call__(self, number: int, frame: FrameType | None) -> None:
        if os.getpid() != self._process:  # a forked child is no command
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
            return
        now = time.monotonic()
        if self.number is None or now - self._since > _PATIENCE_S:
            self.number, self._since = number, now
            raise KeyboardInterrupt


@contextmanager
def orderly_end() -> Iterator[Stop]:
    """Within the block signals that would end the process at once raise KeyboardInterrupt instead.

    Signals that are ignored (``nohup``) or handled by a program around this one stay so, and so do all outside the main
    thread, where Python allows no handlers.
    """
    stop = Stop()
    before = {}
    if threading.current_thread() is threading.main_thread():
        for number in _SIGNALS:
            if signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
                before[number] = signal.signal(number, stop)
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
