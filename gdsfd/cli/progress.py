"""What long work says while it runs: a bar on a terminal, a line per minute in a pipe."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["epoch_words", "heartbeat", "on_terminal"]

#: Seconds until the first line, and between lines.
FIRST, EVERY = 30.0, 60.0


def on_terminal(quiet: bool) -> bool:
    """Whether bars are wanted: stderr is a terminal and the user did not ask for silence."""
    return sys.stderr.isatty() and not quiet


@contextmanager
def heartbeat(
    title: str, quiet: bool, first: float | None = None, every: float | None = None
) -> Iterator[Callable[[str], None]]:
    """Says in a pipe, once a minute, that work goes on; nothing on a terminal, where there are bars.

    Lines go to stderr. Work that ends within half a minute says nothing.

    Args:
        title: What is done: ``"training muse"``.
        quiet: Say nothing.

    Yields:
        What the work tells how far it is, in words; the line has what was told last.
    """
    told = ""

    def tell(words: str) -> None:
        nonlocal told
        told = f": {words}"

    if quiet or sys.stderr.isatty():
        yield tell
        return
    start, ended, stream = time.monotonic(), threading.Event(), sys.stderr

    def beat() -> None:
        wait = FIRST
        while not ended.wait(wait):
            print(f"{title}{told} ({_elapsed(time.monotonic() - start)})", file=stream, flush=True)
            wait = EVERY

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield tell
    finally:
        ended.set()
        thread.join()


def epoch_words(row: dict[str, Any], epochs: int) -> str:
    """A row of the history in words, with what is left of this fit if it takes all its epochs.

    Args:
        row: As ``Debiaser.fit(on_epoch=...)`` gets it.
        epochs: The most there can be.

    Example:
        >>> epoch_words({"model": "guard", "epoch": 3, "tuning_loss": 0.25, "seconds": 2.0}, 100)
        'guard, epoch 3 of at most 100, tuning loss 0.2500, at most 3 min 14 s left of this fit'
    """
    model, left = f"{row['model']}, " if "model" in row else "", row["seconds"] * (epochs - row["epoch"])
    words = f"{model}epoch {row['epoch']} of at most {epochs}, tuning loss {row['tuning_loss']:.4f}"
    return f"{words}, at most {_elapsed(left)} left of this fit"


def _elapsed(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
