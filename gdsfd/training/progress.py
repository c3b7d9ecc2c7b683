"""How a training that runs is followed: a bar on a terminal, and a line of the log per epoch."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from gdsfd.progress_bar import progress_bar

__all__ = ["Followed", "Watch", "followed"]

#: Called with each row of the history; debiasing adds which ``model`` the row is of.
Watch = Callable[[dict[str, Any]], None]

_log = logging.getLogger(__name__)


class Followed:
    """What is called after each epoch, and before work that has no epochs.

    Args:
        title: Stands left of the bar.
        epochs: The most there can be.
        bar: Of tqdm.
        on_epoch: The caller's own.
    """

    def __init__(self, title: str, epochs: int, bar: Any, on_epoch: Watch | None) -> None:
        self.title, self.epochs, self.bar, self.on_epoch = title, epochs, bar, on_epoch
        self.model: str | None = None

    def __call__(self, row: dict[str, Any]) -> None:
        """Takes note of an epoch."""
        model = f"{row['model']}, " if "model" in row else ""
        _log.info(
            "%s: %sepoch %d of at most %d, tuning loss %.4f",
            self.title, model, row["epoch"], self.epochs, row["tuning_loss"],
        )  # fmt: skip
        if not self.bar.disable:
            self._advance(row)
        if self.on_epoch is not None:
            self.on_epoch(row)

    def stage(self, words: str) -> None:
        """Says on the bar what is done now: ``"fitting baselines"``."""
        self.bar.set_description(f"{self.title}: {words}")

    def _advance(self, row: dict[str, Any]) -> None:
        bar, name = self.bar, row.get("model", "")
        if name != self.model or row["epoch"] == 1:
            # Debiasing trains several models, one after the other: each has its own clock, or the speed would be that
            # of none of them. A resumed run starts in the middle.
            self.model = name
            bar.reset(self.epochs)
            bar.initial = row["epoch"] - 1
            bar.start_t = time.time() - row.get("seconds", 0.0)
            bar.set_description(f"{self.title} ({name})" if name else self.title, refresh=False)
        bar.n = row["epoch"]
        bar.set_postfix_str(f"loss={row['tuning_loss']:.3f}", refresh=False)  # of tuning patients; more has no room
        bar.refresh()


@contextmanager
def followed(title: str, epochs: int, progress: bool | None, on_epoch: Watch | None) -> Iterator[Followed]:
    """Yields what is to be called after each epoch.

    Args:
        title: Stands left of the bar.
        epochs: The most there can be; early stopping may end sooner.
        progress: Whether to show a bar on stderr; None = where that is a terminal.
        on_epoch: The caller's own.
    """
    with progress_bar(title, epochs, "epoch", progress) as bar:
        yield Followed(title, epochs, bar, on_epoch)
