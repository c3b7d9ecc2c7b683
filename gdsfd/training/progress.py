"""How a training that runs is followed: a bar on a terminal, and a line of the log per epoch."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["Watch", "followed"]

#: Called with each row of the history; debiasing adds which ``model`` the row is of.
Watch = Callable[[dict[str, Any]], None]

_log = logging.getLogger(__name__)


@contextmanager
def followed(title: str, epochs: int, progress: bool | None, on_epoch: Watch | None) -> Iterator[Watch]:
    """Yields what is to be called after each epoch.

    Args:
        title: Stands left of the bar.
        epochs: The most there can be; early stopping may end sooner.
        progress: Whether to show a bar on stderr; None = where that is a terminal.
        on_epoch: The caller's own.
    """
    with _bar(title, epochs, sys.stderr.isatty() if progress is None else progress) as advance:

        def watch(row: dict[str, Any]) -> None:
            model = f"{row['model']}, " if "model" in row else ""
            _log.info(
                "%s: %sepoch %d of at most %d, tuning loss %.4f", title, model, row["epoch"], epochs, row["tuning_loss"]
            )
            for each in (advance, on_epoch):
                if each is not None:
                    each(row)

        yield watch


@contextmanager
def _bar(title: str, epochs: int, show: bool) -> Iterator[Watch | None]:
    if not show:
        yield None
        return
    from tqdm import tqdm

    with tqdm(total=epochs, desc=title, unit="epoch", leave=False) as bar:

        def advance(row: dict[str, Any]) -> None:
            if "model" in row:  # debiasing trains several models, one after the other
                bar.set_description(f"{title} ({row['model']})")
            bar.n = row["epoch"]  # a resumed run starts in the middle, the next model at the beginning
            bar.refresh()
            bar.set_postfix({key: f"{row[key]:.3f}" for key in ("tuning_loss", "tuning_auprc") if key in row})

        yield advance
