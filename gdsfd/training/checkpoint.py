"""Checkpoints of a run in progress: one folder per finished epoch, each whole or absent."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from gdsfd.errors import InputError
from gdsfd.training.state import TrainingState

__all__ = ["load_checkpoint", "save_checkpoint", "work_folder"]


def work_folder(run: Path) -> Path:
    """Where the run that will become ``run`` keeps its checkpoints: a sibling, so that ``run`` appears only whole."""
    return run.parent / f".{run.name}.training"


def save_checkpoint(
    folder: Path, weights: dict[str, Tensor], optimizer: dict[str, Any], state: TrainingState, settings: dict[str, Any]
) -> None:
    """Writes the checkpoint of ``state.epoch`` and then removes the one before.

    Args:
        folder: The run's work folder.
        weights: The network's state.
        optimizer: The optimiser's state.
        state: Progress.
        settings: What the run was started with; a resumed run must be started with the same.
    """
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / "writing"
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    save_file(_plain(weights), temporary / "weights.safetensors")
    save_file(_plain(state.best_weights), temporary / "best.safetensors")
    save_file(_plain(state.average), temporary / "average.safetensors")
    torch.save(optimizer, temporary / "optimizer.pt")
    kept = ("epoch", "best_epoch", "best_value", "history", "second", "stopped")
    progress = {key: getattr(state, key) for key in kept}
    (temporary / "state.json").write_text(json.dumps({"state": progress, "settings": settings}), encoding="utf-8")
    for entry in temporary.iterdir():
        _flush(entry)
    final = folder / f"epoch-{state.epoch:05d}"
    shutil.rmtree(final, ignore_errors=True)
    os.rename(temporary, final)
    _flush(folder)
    for older in _finished(folder)[:-1]:
        shutil.rmtree(older, ignore_errors=True)


def load_checkpoint(
    folder: Path, settings: dict[str, Any]
) -> tuple[dict[str, Tensor], dict[str, Any], TrainingState] | None:
    """Reads the newest checkpoint, or None when there is none.

    Args:
        folder: The run's work folder.
        settings: What the run is started with now.

    Returns:
        The network's state, the optimiser's state, the progress.

    Raises:
        InputError: The checkpoint was made with other settings.
    """
    finished = _finished(folder)
    if not finished:
        return None
    newest = finished[-1]
    stored = json.loads((newest / "state.json").read_text(encoding="utf-8"))
    now = json.loads(json.dumps(settings))
    if stored["settings"] != now:
        before = stored["settings"]
        changed = sorted(key for key in {*before, *now} if before.get(key) != now.get(key))
        raise InputError(
            f"the run in {folder} was started with other settings ({', '.join(changed)} changed); "
            f"resume it with the same settings, or remove that folder to start anew"
        )
    best, average = (load_file(newest / f"{part}.safetensors") for part in ("best", "average"))
    state = TrainingState(**stored["state"], best_weights=best, average=average)
    optimizer = torch.load(newest / "optimizer.pt", weights_only=True)
    return load_file(newest / "weights.safetensors"), optimizer, state


def _finished(folder: Path) -> list[Path]:
    return sorted(folder.glob("epoch-*"))


def _plain(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.detach().cpu().contiguous() for name, tensor in weights.items()}


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
