"""A bar on stderr for long work: how far, how fast, how long still; its clock goes on while nothing ends."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tqdm import tqdm

__all__ = ["progress_bar"]

#: Seconds between two looks at the clock.
TICK = 1.0


@contextmanager
def progress_bar(title: str, total: int, unit: str, progress: bool | None) -> Iterator[Any]:
    """Yields a tqdm bar, gone from the screen when the work ends.

    A single step may take minutes (a large file, a fit). A bar that stands still looks like a program that hangs, so
    the time that has passed is written anew each second.

    Args:
        title: Stands left of the bar.
        total: Of ``unit``; what is done is told by ``bar.update()``.
        unit: Of what is counted; ``"B"`` is written in kB, MB and so on.
        progress: Whether to show it; None = where stderr is a terminal.
    """
    bar = tqdm(
        total=total,
        desc=title,
        unit=unit,
        unit_scale=unit == "B",
        leave=False,
        dynamic_ncols=True,
        disable=None if progress is None else not progress,
    )
    if bar.disable:
        yield bar
        return
    ended = threading.Event()

    def tick() -> None:
        while not ended.wait(TICK):
            bar.refresh()

    clock = threading.Thread(target=tick, daemon=True)
    clock.start()
    try:
        yield bar
    finally:
        ended.set()
        clock.join()
        bar.close()
