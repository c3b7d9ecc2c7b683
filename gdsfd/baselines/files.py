"""Fitted baselines on disk: arrays (safetensors) and their settings (JSON). Reading runs no code from the files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from gdsfd.baselines.baseline import BASELINES, Baseline
from gdsfd.cohort.schema import CohortSchema
from gdsfd.errors import InputError
from gdsfd.plugins import require_plugins

__all__ = ["FOLDER", "read_baselines", "write_baselines"]

#: Where a model's folder keeps its baselines.
FOLDER = "baselines"


def write_baselines(folder: Path, baselines: Mapping[str, Baseline]) -> dict[str, Any]:
    """Writes fitted baselines.

    Args:
        folder: The model's; a folder ``baselines`` is made in it.
        baselines: Key -> fitted baseline.

    Returns:
        What else there is to keep of them, JSON-able.
    """
    described = {}
    for key, baseline in baselines.items():
        (folder / FOLDER).mkdir(exist_ok=True)
        arrays = {name: np.ascontiguousarray(array) for name, array in baseline.arrays().items()}
        save_file(arrays, folder / FOLDER / f"{key}.safetensors")
        described[key] = baseline.to_dict()
        module = BASELINES.plugin_of(key) if key in BASELINES else None
        if module is not None:
            described[key]["plugin"] = module
    return described


def read_baselines(folder: Path, described: Mapping[str, Any], schema: CohortSchema) -> dict[str, Baseline]:
    """Reads what :func:`write_baselines` wrote.

    Args:
        folder: The model's.
        described: What that function gave.
        schema: The model's: which columns the flattened table has.

    Raises:
        InputError: A file is missing or damaged, holds something else, or a plug-in's baseline is not declared here.
    """
    return {key: _read(folder / FOLDER / f"{key}.safetensors", key, each, schema) for key, each in described.items()}


def _read(path: Path, key: str, described: Mapping[str, Any], schema: CohortSchema) -> Baseline:
    if key not in BASELINES:  # before anything is opened: the key is part of a path
        module = described.get("plugin") if isinstance(described, Mapping) else None
        if isinstance(module, str):
            require_plugins([{"part": "baseline", "name": key, "module": module}], str(path.parent.parent))
        raise InputError(
            f"{path.parent}: expected the baselines {', '.join(BASELINES.names())}, model.json names {key!r}"
        )
    try:
        arrays = load_file(path)
    except (SafetensorError, OSError) as error:
        raise InputError(f"{path}: missing or damaged ({str(error).splitlines()[0]}); copy the folder again") from None
    try:
        return BASELINES.find(key).from_stored(arrays, described, schema, str(path))
    except InputError:
        raise
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path}: its description in model.json is damaged ({error}); copy the folder again") from None
