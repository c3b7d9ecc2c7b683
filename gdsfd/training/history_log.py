"""The history of a run as files: CSV always, TensorBoard on demand."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gdsfd.errors import InputError

__all__ = ["TensorBoardLog", "write_history"]


def write_history(file: Path, history: Sequence[dict[str, Any]]) -> None:
    """Writes one row per epoch.

    Args:
        file: The CSV file.
        history: The rows; all have the keys of the first.
    """
    with file.open("w", newline="", encoding="utf-8") as out:
        writer = csv.DictWriter(out, fieldnames=list(history[0]) if history else ["epoch"])
        writer.writeheader()
        writer.writerows(history)


class TensorBoardLog:
    """Writes each epoch's row as TensorBoard scalars.

    Args:
        folder: Where the event files go.
        history: Rows of epochs already done (of a resumed run); written again, what was there is removed.

    Raises:
        InputError: The package ``tensorboard`` is not installed.
    """

    def __init__(self, folder: Path, history: Sequence[dict[str, Any]] = ()) -> None:
        try:
            from torch.utils.tensorboard import SummaryWriter
        except ImportError:
            raise InputError(
                "log='tensorboard' needs the package tensorboard: pip install 'gdsfd[tensorboard]'"
            ) from None
        shutil.rmtree(folder, ignore_errors=True)
        self.writer = SummaryWriter(str(folder))
        for row in history:
            self.add(row)

    def add(self, row: dict[str, Any]) -> None:
        """Takes in one epoch's row."""
        for name, value in row.items():
            if name != "epoch":
                self.writer.add_scalar(name, value, row["epoch"])

    def close(self) -> None:
        """Writes out what is pending."""
        self.writer.close()
