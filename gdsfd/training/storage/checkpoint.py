"""Checkpoints of a run in progress: one folder per finished epoch, each whole or absent. Reading runs no code."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from gdsfd.atomic_write import explained_place, put_in_place
from gdsfd.errors import InputError
from gdsfd.file_digest import digest_of_file, digest_of_json
from gdsfd.training.state import TrainingState
from gdsfd.training.storage.tensor_tree import join, take_apart

__all__ = [
    "already_training",
    "check_resumable",
    "empty_work_folder",
    "load_checkpoint",
    "lock_file",
    "save_checkpoint",
    "work_folder",
]

_FORMAT, _VERSION = "gdsfd checkpoint", 3
_STATE = "state.json"
_TENSORS = {part: f"{part}.safetensors" for part in ("weights", "best", "average", "optimizer")}
_KEPT = ("epoch", "best_epoch", "best_value", "history", "second", "stopped")


def work_folder(run: Path) -> Path:
    """Where the run that will become ``run`` keeps its checkpoints: a sibling, so that ``run`` appears only whole.

    One folder has one, by whatever name or link it is called.
    """
    run = Path(os.path.realpath(run))
    return run.parent / f".{run.name}.training"


def lock_file(run: Path) -> Path:
    """What the process that trains ``run`` holds locked."""
    return work_folder(run) / "lock"


def already_training(run: Path) -> str:
    """What to say when another process holds :func:`lock_file`."""
    return f"{run}: {{holder}} trains into this folder; wait until it ends, or choose another folder"


def empty_work_folder(folder: Path) -> None:
    """Removes all checkpoints; the lock stays."""
    for entry in folder.iterdir() if folder.is_dir() else ():
        if entry.is_dir():
            shutil.rmtree(entry, ignore_errors=True)
        elif entry.name != "lock":
            entry.unlink(missing_ok=True)


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

    Raises:
        InputError: It cannot be written, or the disk is full; the checkpoint before is still there.
    """
    with explained_place(folder):
        folder.mkdir(parents=True, exist_ok=True)
        temporary = folder / "writing"
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir()
        nest, moments = take_apart(optimizer)
        for part, tensors in (
            ("weights", weights),
            ("best", state.best_weights),
            ("average", state.average),
            ("optimizer", moments),
        ):
            save_file(_plain(tensors), temporary / _TENSORS[part])
        stored = {
            "format": _FORMAT,
            "version": _VERSION,
            "settings": settings,
            "state": {key: getattr(state, key) for key in _KEPT},
            "optimizer": nest,
            "files": {name: digest_of_file(temporary / name) for name in _TENSORS.values()},
        }
        text = json.dumps({**stored, "digest": digest_of_json(stored)})
        (temporary / _STATE).write_text(text, encoding="utf-8")
        put_in_place(temporary, folder / f"epoch-{state.epoch:05d}")
        shutil.rmtree(temporary, ignore_errors=True)  # an older checkpoint of this epoch
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
        InputError: The checkpoint was made with other settings, by another version, or is damaged.
    """
    finished = _finished(folder)
    if not finished:
        return None
    newest = finished[-1]
    stored = _read(newest)
    _compare(newest, stored["settings"], settings)
    try:
        tensors = {part: load_file(newest / name) for part, name in _TENSORS.items()}
        state = TrainingState(**stored["state"], best_weights=tensors["best"], average=tensors["average"])
        return tensors["weights"], join(stored["optimizer"], tensors["optimizer"]), state
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise _damaged(newest, str(error)) from error


def check_resumable(folder: Path, settings: dict[str, Any]) -> None:
    """Looks at all checkpoints of a run, of each of its networks, before any work is done.

    Args:
        folder: The run's work folder.
        settings: What the run is started with now.

    Raises:
        InputError: One was made with other settings, by another version, or is damaged.
    """
    for place in sorted({checkpoint.parent for checkpoint in folder.rglob("epoch-*")}):
        newest = _finished(place)[-1]
        _compare(newest, _read(newest)["settings"], settings)


def _read(checkpoint: Path) -> dict[str, Any]:
    """What stands beside the tensors, once it is known that nothing of the checkpoint has changed since."""
    path = checkpoint / _STATE
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _damaged(path, str(error)) from None
    if not isinstance(stored, dict):
        raise _damaged(path, "expected a mapping")
    if stored.get("format") != _FORMAT or stored.get("version") != _VERSION:
        raise InputError(
            f"{path}: written by another version of gdsfd; finish the run with the one it was started with, or remove "
            f"{_work(checkpoint)} to start anew"
        )
    if stored.pop("digest", None) != digest_of_json(stored):
        raise _damaged(path, "it has changed since it was written")
    for name in _TENSORS.values():
        try:
            found = digest_of_file(checkpoint / name)
        except OSError as error:
            raise _damaged(checkpoint / name, str(error.strerror)) from None
        if found != stored["files"].get(name):
            raise _damaged(checkpoint / name, "it has changed since it was written")
    return stored


def _compare(checkpoint: Path, before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    now = json.loads(json.dumps(now))
    if before == now:
        return
    advice = f"resume it with the same graph and settings, or remove {_work(checkpoint)} to start anew"
    old, new = dict(_leaves(before)), dict(_leaves(now))
    changed = [key for key in [*old, *(key for key in new if key not in old)] if old.get(key) != new.get(key)]
    content = [key[1] for key in changed if key[0] == "graph" and len(key) > 1]
    changed = [key for key in changed if key[0] != "graph"]
    if not changed:
        raise InputError(
            f"the run in {_work(checkpoint)} was started on another graph: {', '.join(content)} differ; {advice}"
        )
    words = [f"{'.'.join(key[1:] or key)} was {old.get(key)!r}, is {new.get(key)!r}" for key in changed]
    more = f" and {len(words) - 5} more" if len(words) > 5 else ""
    raise InputError(
        f"the run in {_work(checkpoint)} was started with other settings ({'; '.join(words[:5])}{more}); {advice}"
    )


def _leaves(nest: Mapping[str, Any], prefix: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for key, value in nest.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, (*prefix, key))
        else:
            yield (*prefix, key), value


def _work(checkpoint: Path) -> Path:
    """The run's work folder, in which a checkpoint lies, or lies in a folder of one of the run's networks."""
    return next((each for each in checkpoint.parents if each.name.endswith(".training")), checkpoint.parent)


def _damaged(path: Path, why: str) -> InputError:
    return InputError(
        f"{path}: the checkpoint is missing a part or damaged ({why.splitlines()[0] if why else 'empty'}); remove "
        f"{_work(path)} and train anew, without --resume"
    )


def _finished(folder: Path) -> list[Path]:
    return sorted(folder.glob("epoch-*"))


def _plain(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.detach().cpu().contiguous() for name, tensor in weights.items()}
