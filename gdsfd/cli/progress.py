"""What long work says while it runs: a bar or a line on a terminal, a line per minute in a pipe."""

from __future__ import annotations

import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["WIPE", "epoch_words", "heartbeat", "on_terminal"]

#: Seconds until the first line in a pipe, and between lines.
FIRST, EVERY = 30.0, 60.0
#: Seconds between two writings of the line on a terminal.
TICK = 1.0

#: Takes away what stands on a terminal's line.
WIPE = "\r\033[K"


def on_terminal(quiet: bool) -> bool:
    """Whether bars are wanted: stderr is a terminal and the user did not ask for silence."""
    return sys.stderr.isatty() and not quiet


@contextmanager
def heartbeat(title: str, quiet: bool, line: bool = False) -> Iterator[Callable[[str], None]]:
    """Says that work goes on: in a pipe once a minute, on a terminal by one line that is written anew each second.

    What is said goes to stderr. In a pipe, work that ends within half a minute says nothing.

    Args:
        title: What is done: ``"training muse"``.
        quiet: Say nothing.
        line: Whether to write the line on a terminal; False where the work has a bar of its own.

    Yields:
        What the work tells how far it is, in words; the line has what was told last.
    """
    told, terminal = "", sys.stderr.isatty()
    start, ended, stream = time.monotonic(), threading.Event(), sys.stderr

    def line_text() -> str:
        return f"{title}{told} ({_elapsed(time.monotonic() - start)})"

    def write() -> None:
        width = shutil.get_terminal_size().columns - 1  # a longer one would go on in the next line, and stay there
        text = line_text()
        shown = text if len(text) <= width else f"{text[: width - 3]}..."
        print(f"{WIPE}{shown}", end="", file=stream, flush=True)

    def tell(words: str) -> None:
        nonlocal told
        told = f": {words}"

    if quiet or (terminal and not line):
        yield tell
        return

    def beat() -> None:
        wait = TICK if terminal else FIRST
        while not ended.wait(wait):
            if terminal:
                write()
            else:
                print(line_text(), file=stream, flush=True)
            wait = TICK if terminal else EVERY

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield tell
    finally:
        ended.set()
        thread.join()
        if terminal:
            print(WIPE, end="", file=stream, flush=True)


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
