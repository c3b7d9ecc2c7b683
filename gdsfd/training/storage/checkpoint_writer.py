"""Writes checkpoints while training goes on."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from copy import copy
from pathlib import Path
from types import TracebackType
from typing import Any

import torch
from torch import Tensor

from gdsfd.training.state import TrainingState
from gdsfd.training.storage.checkpoint import save_checkpoint

__all__ = ["CheckpointWriter"]


class CheckpointWriter:
    """Writes the checkpoint of an epoch beside the next one, at most one at a time.

    What is given is copied before :meth:`save` returns. Leaving the ``with`` block, also by an error, waits for the
    last checkpoint. A process that is killed loses the epoch it was in and, if it was quick, the one before.

    Args:
        folder: The run's work folder; None = nothing is written.
        settings: What the run was started with.
    """

    def __init__(self, folder: Path | None, settings: dict[str, Any]) -> None:
        self._folder, self._settings = folder, settings
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="checkpoint") if folder is not None else None
        self._pending: Future[None] | None = None

    def save(self, weights: dict[str, Tensor], optimizer: Callable[[], dict[str, Any]], state: TrainingState) -> None:
        """Begins to write a checkpoint; the arguments as in :func:`save_checkpoint`.

        Args:
            weights: The network's state.
            optimizer: Gives the optimiser's state; not called when nothing is written.
            state: Progress.

        Raises:
            OSError: The one before could not be written.
        """
        if self._worker is None or self._folder is None:
            return
        self._wait()
        now = copy(state)  # its best weights are replaced, never changed
        now.history = list(state.history)
        now.average = _copied(state.average)
        self._pending = self._worker.submit(
            save_checkpoint, self._folder, _copied(weights), _copied(optimizer()), now, self._settings
        )

    def _wait(self) -> None:
        pending, self._pending = self._pending, None
        if pending is not None:
            pending.result()

    def __enter__(self) -> CheckpointWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._worker is None:
            return
        self._worker.shutdown(wait=True)
        if error is None:  # else the reason why training ends is the one to be told
            self._wait()


def _copied(nest: Any) -> Any:
    """The same mappings and lists with tensors of their own, on the CPU."""
    if isinstance(nest, Tensor):
        return nest.detach().to("cpu", copy=True, memory_format=torch.contiguous_format)
    if isinstance(nest, dict):
        return {key: _copied(value) for key, value in nest.items()}
    if isinstance(nest, (list, tuple)):
        return type(nest)(_copied(value) for value in nest)
    return nest
