"""A bar that follows training on a terminal, and nothing in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["epoch_bar", "on_terminal"]


def on_terminal(quiet: bool) -> bool:
    """Whether bars are wanted: stderr is a terminal and the user did not ask for silence."""
    return sys.stderr.isatty() and not quiet


@contextmanager
def epoch_bar(title: str, epochs: int, quiet: bool) -> Iterator[Callable[[dict[str, Any]], None] | None]:
    """Yields what ``Debiaser.fit(on_epoch=...)`` takes.

    Args:
        title: Stands left of the bar.
        epochs: The most there can be; early stopping may end sooner.
        quiet: Show nothing.
    """
    if not on_terminal(quiet):
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
