"""A trained model on disk: weights (safetensors) and everything else (JSON). Reading runs no code from the files."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file as load_arrays
from safetensors.numpy import save_file as save_arrays
from safetensors.torch import load_file, save_file

from gdsfd._version import __version__
from gdsfd.atomic_write import atomic_directory, check_replaceable
from gdsfd.baselines.cross_fitted_trees import CrossFittedTrees
from gdsfd.cohort.schema import CohortSchema
from gdsfd.errors import InputError
from gdsfd.file_digest import digest_of_file, digest_of_json
from gdsfd.latent.back_door import BackDoor
from gdsfd.nn.ensemble import Ensemble
from gdsfd.training.history_log import write_history
from gdsfd.training.run_record.run_record import RunRecord
from gdsfd.training.site_strata import write_strata
from gdsfd.training.storage.checkpoint import work_folder
from gdsfd.training.storage.stored_model import FORMAT, VERSION, check_stored, damaged

__all__ = ["check_free", "is_model", "read_model", "read_weights", "write_model"]

_MODEL_FILE = "model.json"
_WEIGHTS = {"reference": "model.safetensors", "debiased": "debiased.safetensors", "biased": "biased.safetensors"}
#: The trees that members of a network start from.
_TREES = {"reference": "trees.safetensors", "debiased": "debiased_trees.safetensors"}


def is_model(folder: Path) -> bool:
    """Whether a folder looks like that of a model."""
    return (folder / _MODEL_FILE).is_file()


def check_free(folder: Path) -> None:
    """Refuses a folder that holds something other than a model.

    Raises:
        InputError: It does.
    """
    check_replaceable(folder, _MODEL_FILE, FORMAT)


def write_model(
    folder: Path,
    networks: Mapping[str, Ensemble],
    described: dict[str, Any],
    history: Sequence[dict[str, Any]],
    board: Path | None = None,
    record: RunRecord | None = None,
    strata: Mapping[str, BackDoor] | None = None,
) -> None:
    """Writes a model, whole or not at all.

    Args:
        folder: Created; a former model there is replaced.
        networks: ``reference``, and where there are such ``debiased`` and ``biased``.
        described: What else there is to keep, JSON-able.
        history: Rows of all epochs.
        board: Folder of TensorBoard event files to keep beside it.
        record: What was fixed on the training cohort.
        strata: Outcome -> found strata that are averaged out for it.

    Raises:
        InputError: ``folder`` holds something else.
    """
    with atomic_directory(folder, _MODEL_FILE, FORMAT) as temporary:
        for name, network in networks.items():
            weights = {key: tensor.contiguous() for key, tensor in network.state_dict().items()}
            save_file(weights, temporary / _WEIGHTS[name])
            if isinstance(network.start, CrossFittedTrees):
                arrays = {key: np.ascontiguousarray(array) for key, array in network.start.arrays().items()}
                save_arrays(arrays, temporary / _TREES[name])
        kept = record.write(temporary) if record is not None else None
        named = write_strata(temporary, strata or {})
        files = sorted(temporary.rglob("*.safetensors"))
        stored = {
            **{"format": FORMAT, "version": VERSION, "gdsfd": __version__},
            **described,
            "record": kept,
            "strata": named,
            "history": list(history),
            "files": {file.relative_to(temporary).as_posix(): digest_of_file(file) for file in files},
        }
        text = json.dumps({**stored, "digest": digest_of_json(stored)}, indent=1)
        (temporary / _MODEL_FILE).write_text(text, encoding="utf-8")
        write_history(temporary / "history.csv", list(history))
        if board is not None and board.is_dir():
            shutil.copytree(board, temporary / "tensorboard")


def read_model(folder: Path) -> dict[str, Any]:
    """What :func:`write_model` was given, but for the weights.

    Raises:
        InputError: ``folder`` holds no finished model, or a damaged one.
    """
    path = folder / _MODEL_FILE
    if not path.is_file():
        hint = ""
        if work_folder(folder).is_dir():
            hint = " Its training has not finished: go on with `gdsfd train ... --resume`."
        raise InputError(f"{folder}: no model here (expected model.json and model.safetensors).{hint}")
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: cut off or damaged ({error}); copy the folder again") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    content = check_stored(stored, path)
    for name, digest in content["files"].items():
        _check_file(folder, name, digest)
    return content


def _check_file(folder: Path, name: str, digest: str) -> None:
    """Refuses a file that is not the one written with ``model.json``, which may be of another run."""
    try:
        found = digest_of_file(folder / name)
    except OSError as error:
        raise damaged(folder / name, error.strerror or "cannot be read") from None
    if found != digest:
        raise damaged(folder / name, "it does not fit model.json: cut off, changed, or of another model")


def read_weights(
    folder: Path, name: str, network: Ensemble, stored: Mapping[str, Any], schema: CohortSchema
) -> Ensemble:
    """Puts stored weights into a network, and the trees that its members start from.

    Args:
        folder: The model's.
        name: ``reference``, ``debiased`` or ``biased``.
        network: Built as it was.
        stored: What :func:`read_model` gave.
        schema: The model's.

    Returns:
        The network, in evaluation mode.

    Raises:
        InputError: The weights are missing, damaged, or of another network.
    """
    path = folder / _WEIGHTS[name]
    try:
        weights = load_file(path)
        network.load_state_dict(weights)
    except (RuntimeError, SafetensorError, OSError) as error:
        writer = f"written by gdsfd {stored.get('gdsfd')}, this is {__version__}"
        raise InputError(
            f"{path}: does not fit model.json ({writer}): {str(error).splitlines()[0]}; train the model anew, or copy "
            f"the folder again"
        ) from None
    broken = [key for key, value in weights.items() if value.is_floating_point() and not value.isfinite().all()]
    if broken:
        raise damaged(path, f"{broken[0]} holds numbers that are not finite")
    if network.boosted:
        network.start = _read_trees(folder / _TREES[name], schema)
    return network.eval()


def _read_trees(path: Path, schema: CohortSchema) -> CrossFittedTrees:
    try:
        arrays = load_arrays(path)
    except (SafetensorError, OSError) as error:
        raise damaged(path, str(error).splitlines()[0]) from None
    return CrossFittedTrees.from_arrays(arrays, schema, str(path))
